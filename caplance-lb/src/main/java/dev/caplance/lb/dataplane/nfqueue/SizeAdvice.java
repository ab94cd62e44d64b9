package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;

/**
 * Decides whether a packet that does not fit the path to its backend is dropped and its sender told
 * the MTU of the path. Otherwise the outer packet is fragmented.
 *
 * @param widestMtu bytes of the largest packet that this machine can receive unfragmented
 */
record SizeAdvice(int widestMtu) {

  private static final int MIN_IPV6_MTU = 1280;

  /**
   * Whether a packet is dropped and its sender told to send smaller ones. TCP senders are told,
   * unless fewer than 1,280 bytes of IPv6 fit: no sender goes below that (RFC 8201, section 4).
   * Senders of other IPv4 packets are told if they can have sent one that large: a packet longer
   * than the MTU of every interface here was reassembled from fragments. Senders of other IPv6
   * packets are not told, because such a packet does not show whether it was reassembled. Where the
   * sender is not told, a fragmented outer packet reaches the backend.
   *
   * @param length bytes of the packet
   * @param maxPacket bytes of the largest packet that fits the path
   */
  boolean isDue(IpHeader header, FlowKey flow, int length, int maxPacket) {
    if (length <= maxPacket || flow.isError() || !header.dontFragment()) {
      return false;
    }
    boolean tcp = flow.protocol() == IpProtocol.TCP;
    return header.ipv4() ? tcp || length <= widestMtu : tcp && maxPacket >= MIN_IPV6_MTU;
  }
}
