package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * ICMP (RFC 792) and ICMPv6 (RFC 4443) errors: eight bytes, then the packet that caused the error,
 * or at least its headers and eight bytes more.
 */
final class Icmp {

  static final int HEADER = 8;

  private static final int UNREACHABLE = 3;
  private static final int TIME_EXCEEDED = 11;
  private static final int PARAMETER_PROBLEM = 12;
  private static final int V6_FIRST_ERROR = 1;
  private static final int V6_LAST_ERROR = 4;

  private Icmp() {}

  /**
   * Whether the packet is an error about a packet. Redirect and source quench, which are errors by
   * their form, are not meant for anybody behind a load balancer.
   */
  static boolean isError(IpHeader header, ByteBuffer b) {
    int type = b.get(header.upperOffset()) & 0xff;
    if (header.protocol() == IpProtocol.ICMP) {
      return type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
    }
    return type >= V6_FIRST_ERROR && type <= V6_LAST_ERROR;
  }
}
