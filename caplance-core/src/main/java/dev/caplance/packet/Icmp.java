package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * ICMP (RFC 792) and ICMPv6 (RFC 4443) errors: a header, then the packet that caused the error, or
 * at least its headers and eight bytes more.
 *
 * <pre>
 * 0 type   1 code   2 checksum   4 value: the MTU if the packet was too big   8 the packet
 * </pre>
 */
final class Icmp {

  static final int HEADER = 8;

  static final int TYPE = 0;
  static final int CODE = 1;
  static final int CHECKSUM = 2;
  static final int VALUE = 4;

  private static final int UNREACHABLE = 3;
  private static final int TIME_EXCEEDED = 11;
  private static final int PARAMETER_PROBLEM = 12;
  private static final int V6_FIRST_ERROR = 1;
  private static final int V6_LAST_ERROR = 4;

  private Icmp() {}

  /**
   * Whether a packet is an error about another one. Redirect and source quench, which have the form
   * of errors, mean nothing to a host behind a load balancer.
   */
  static boolean isError(IpHeader header, ByteBuffer b) {
    int type = b.get(header.upperOffset() + TYPE) & 0xff;
    if (header.protocol() == IpProtocol.ICMP) {
      return type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
    }
    return type >= V6_FIRST_ERROR && type <= V6_LAST_ERROR;
  }
}
