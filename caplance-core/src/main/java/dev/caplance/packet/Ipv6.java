package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * The IPv6 header (RFC 8200), read in place.
 *
 * <pre>
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------+---------------+---------------------------------------+
 * |   6   | traffic class |              flow label               |  0
 * +-------+---------------+-------+---------------+---------------+
 * |        payload length         |  next header  |   hop limit   |  4
 * +-------------------------------+---------------+---------------+
 * |                      source (16 bytes)                        |  8
 * |                    destination (16 bytes)                     | 24
 * </pre>
 */
public final class Ipv6 {

  /** Bytes of the fixed header. */
  public static final int HEADER = 40;

  static final int SOURCE = 8;
  static final int DESTINATION = 24;

  private Ipv6() {}

  static int trafficClass(ByteBuffer b, int at) {
    return b.getShort(at) >>> 4 & 0xff;
  }

  static int payloadLength(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + 4));
  }

  static int nextHeader(ByteBuffer b, int at) {
    return b.get(at + 6) & 0xff;
  }

  /**
   * Checks the fixed header.
   *
   * @param length the bytes that there are from {@code at} on
   */
  static Verdict check(ByteBuffer b, int at, int length) {
    if (length < HEADER) {
      return Verdict.MALFORMED;
    }
    return payloadLength(b, at) + HEADER == length ? Verdict.FORWARD : Verdict.WRONG_LENGTH;
  }

  /** Whether nobody may send from this address: ::, ::1, ff00::/8, v4-mapped (RFC 4291). */
  static boolean isMartian(long high, long low) {
    if (high == 0) {
      return low == 0 || low == 1 || low >>> 32 == 0xffff;
    }
    return high >>> 56 == 0xff;
  }
}
