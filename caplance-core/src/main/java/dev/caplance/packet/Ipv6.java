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

  /** The shortest extension header. */
  static final int MIN_EXTENSION = 8;

  /** The next-header value of a fragment header. */
  static final int FRAGMENT = 44;

  private static final int HOP_BY_HOP = 0;
  private static final int ROUTING = 43;
  private static final int AUTHENTICATION = 51;
  private static final int DESTINATION_OPTIONS = 60;
  private static final int OFFSET_OR_MORE = 0xfff9;
  private static final int OFFSET = 0xfff8;

  private Ipv6() {}

  /** Whether another header follows this one that is not the transport's. */
  static boolean isExtension(int nextHeader) {
    return switch (nextHeader) {
      case HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS -> true;
      default -> false;
    };
  }

  /** Bytes of an extension header: units of eight, or of four for authentication (RFC 4302). */
  static int extensionLength(ByteBuffer b, int at, int type) {
    int units = b.get(at + 1) & 0xff;
    return switch (type) {
      case FRAGMENT -> MIN_EXTENSION;
      case AUTHENTICATION -> (units + 2) * 4;
      default -> (units + 1) * 8;
    };
  }

  /** Whether a fragment header is that of a part, and not of a whole packet (RFC 6946). */
  static boolean isPart(ByteBuffer b, int at) {
    return (b.getShort(at + 2) & OFFSET_OR_MORE) != 0;
  }

  /** Whether a fragment header is that of a part without the header of the next protocol. */
  static boolean isLaterPart(ByteBuffer b, int at) {
    return (b.getShort(at + 2) & OFFSET) != 0;
  }

  static int trafficClass(ByteBuffer b, int at) {
    return b.getShort(at) >>> 4 & 0xff;
  }

  static int payloadLength(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + 4));
  }

  static void setPayloadLength(ByteBuffer b, int at, int length) {
    b.putShort(at + 4, (short) length);
  }

  static int nextHeader(ByteBuffer b, int at) {
    return b.get(at + 6) & 0xff;
  }

  /**
   * Checks the fixed header.
   *
   * @param length the bytes that there are from {@code at} on
   */
  static Disposition check(ByteBuffer b, int at, int length) {
    if (length < HEADER) {
      return Disposition.MALFORMED;
    }
    return payloadLength(b, at) + HEADER == length ? Disposition.FORWARD : Disposition.WRONG_LENGTH;
  }

  /** Whether nobody may send from this address: ::, ::1, ff00::/8, v4-mapped (RFC 4291). */
  static boolean isMartian(long high, long low) {
    boolean unusable = high == 0 && (low == 0 || low == 1);
    return unusable || isMapped(high, low) || high >>> 56 == 0xff;
  }

  /** Whether it is an IPv4 address in the form of an IPv6 one, ::ffff:a.b.c.d. */
  static boolean isMapped(long high, long low) {
    return high == 0 && low >>> 32 == 0xffff;
  }
}
