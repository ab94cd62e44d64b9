package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;

/**
 * Tells which senders of packets that do not fit are told so; those of all others are cut.
 *
 * @param widestMtu bytes of the largest packet that can come to this machine in one piece
 */
record SizeAdvice(int widestMtu) {

  private static final int SMALLEST_IPV6_MTU = 1280;

  /**
   * Whether the sender of a packet is told to send smaller ones. Not when it sent none that big:
   * what its fragments were put together to is longer than any link here carries. Of an IPv6
   * datagram nobody can tell whether it came whole; and nobody sends smaller IPv6 packets than what
   * each link must carry (RFC 8201, section 4). Cut on the outside they arrive either way.
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
