package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;

/**
 * Decides what happens to a packet that is too large for the path to its backend: either it is
 * dropped and its sender gets a too-big reply with the MTU of the path, or its outer packet is
 * fragmented.
 *
 * @param widestMtu bytes of the largest packet that this machine can receive unfragmented
 */
record SizeAdvice(int widestMtu) {

  private static final int MIN_IPV6_MTU = 1280;

  /**
   * Whether a packet is dropped with a too-big reply to its sender. The outer packet is fragmented
   * instead if a reply would not help:
   *
   * <ul>
   *   <li>The packet is an ICMP error, or may be fragmented.
   *   <li>It is IPv4, not TCP, and longer than the MTU of every interface here: it was reassembled
   *       from fragments, so its sender has sent smaller packets already.
   *   <li>It is IPv6 and not TCP: it does not show whether it was reassembled.
   *   <li>It is IPv6, and fewer than 1,280 bytes fit: no sender goes below that (RFC 8201, section
   *       4).
   * </ul>
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
