package dev.caplance.lb.dataplane;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;

/** Tells which senders of packets that do not fit are told so; those of all others are cut. */
final class SizeAdvice {

  private static final int SMALLEST_IPV6_MTU = 1280;

  private SizeAdvice() {}

  /**
   * Whether the sender of a packet is told to send smaller ones. Of an IPv6 datagram nobody can
   * tell whether it came whole or was put together from fragments, whose sender could only make the
   * fragments smaller; and nobody sends smaller IPv6 packets than what each link must carry (RFC
   * 8201, section 4). Cut on the outside they arrive either way.
   *
   * @param length bytes of the packet
   * @param maxPacket bytes of the largest packet that fits
   */
  static boolean isDue(IpHeader header, FlowKey flow, int length, int maxPacket) {
    if (length <= maxPacket || flow.isError() || !header.dontFragment()) {
      return false;
    }
    return header.ipv4() || (flow.protocol() == IpProtocol.TCP && maxPacket >= SMALLEST_IPV6_MTU);
  }
}
