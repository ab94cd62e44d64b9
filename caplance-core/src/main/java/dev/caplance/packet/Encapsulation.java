package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * How a packet travels from the load balancer to a backend: whole, as the payload of a UDP
 * datagram, without a header of our own.
 */
public final class Encapsulation {

  /** The UDP port of backends, unless configured otherwise. */
  public static final int DEFAULT_PORT = 1337;

  /** The largest packet that fits: 65,535 bytes less an IPv4 and a UDP header. */
  public static final int MAX_PACKET = 65_507;

  private static final int DSCP = 0xfc;

  /** The first four characters of a sanity check. */
  private static final int SANITY = 'S' << 24 | 'A' << 16 | 'N' << 8 | 'I';

  private static final int UDP_HEADER = 8;

  private Encapsulation() {}

  /** Bytes that encapsulation adds to a packet: an IP and a UDP header. */
  public static int overhead(boolean outerIpv4) {
    return (outerIpv4 ? Ipv4.MIN_HEADER : Ipv6.HEADER) + UDP_HEADER;
  }

  /**
   * Whether a datagram to a data port is a sanity check, by which a load balancer tests the path
   * before it registers a backend, and not a packet.
   *
   * @param at where the payload begins
   */
  public static boolean isSanityCheck(ByteBuffer b, int at, int length) {
    return length > Integer.BYTES && b.getInt(at) == SANITY;
  }

  /**
   * The TOS or traffic-class byte of the outer header: the packet's DSCP (RFC 2983, uniform model),
   * and Not-ECT, since the backend does not carry a congestion mark back inside (RFC 6040, §4.3).
   */
  public static int outerTrafficClass(int innerTrafficClass) {
    return innerTrafficClass & DSCP;
  }
}
