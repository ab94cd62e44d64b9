package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;

/**
 * Decides whether a packet that does not fit the path to its backend is dropped and its sender told
 * the path's MTU. If not, the outer packet is fragmented.
 *
 * @param widestMtu bytes of the largest packet that this machine can receive unfragmented
 */
record SizeAdvice(int widestMtu) {

  private static final int SMALLEST_IPV6_MTU = 1280;

  /**
   * Whether the sender of a packet is told to send smaller ones. It must have sent one that large:
   * a packet longer than any link here carries was reassembled from fragments. An IPv6 datagram
   * does not show whether it was. And no sender goes below what every IPv6 link must carry (RFC
   * 8201, section 4). A fragmented outer packet reaches the backend in each of these cases.
   *
   * @param length bytes of the packet
   * @param maxPacket bytes of the largest packet that fits
   */
  boolean isDue(IpHeader header, FlowKey flow, int length, int maxPacket) {
    if (length <= maxPacket || flow.isError() || !header.dontFragment()) {
      return false;
    }
    boolean tcp = flow.protocol() == IpProtocol.TCP;
    return header.ipv4() ? tcp || length <= widestMtu : tcp && maxPacket >= SMALLEST_IPV6_MTU;
  }
}
