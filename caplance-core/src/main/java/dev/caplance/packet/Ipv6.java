package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * The IPv6 header (RFC 8200), read and written in place.
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
 *
 * an extension header:  0 next header   1 length                 2 …
 * the fragment header:  0 next header   1 reserved   2 fragment offset and flags   4 identification
 * </pre>
 */
public final class Ipv6 {

  /** Bytes of the fixed header. */
  public static final int HEADER = 40;

  /** Bytes of an address. */
  static final int ADDRESS = 16;

  static final int VERSION = 0;
  static final int PAYLOAD_LENGTH = 4;
  static final int NEXT_HEADER = 6;
  static final int HOP_LIMIT = 7;
  static final int SOURCE = 8;
  static final int DESTINATION = 24;

  private static final int EXTENSION_NEXT = 0;
  private static final int EXTENSION_LENGTH = 1;
  private static final int FRAGMENT_OFFSET = 2;
  private static final int FRAGMENT_IDENTIFICATION = 4;

  /** The shortest extension header. */
  static final int MIN_EXTENSION = 8;

  /** The next-header value of a fragment header. */
  static final int FRAGMENT = 44;

  /** The version, without a traffic class and a flow label. */
  private static final int VERSION_6 = 0x6000_0000;

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
    int units = b.get(at + EXTENSION_LENGTH) & 0xff;
    return switch (type) {
      case FRAGMENT -> MIN_EXTENSION;
      case AUTHENTICATION -> (units + 2) * 4;
      default -> (units + 1) * 8;
    };
  }

  /** The header that follows an extension header. */
  static int nextAfterExtension(ByteBuffer b, int at) {
    return b.get(at + EXTENSION_NEXT) & 0xff;
  }

  /** Whether a fragment header is that of a part, and not of a whole packet (RFC 6946). */
  static boolean isPart(ByteBuffer b, int at) {
    return (b.getShort(at + FRAGMENT_OFFSET) & OFFSET_OR_MORE) != 0;
  }

  /** Whether a fragment header is that of a part without the header of the next protocol. */
  static boolean isLaterPart(ByteBuffer b, int at) {
    return (b.getShort(at + FRAGMENT_OFFSET) & OFFSET) != 0;
  }

  static int trafficClass(ByteBuffer b, int at) {
    return b.getShort(at + VERSION) >>> 4 & 0xff;
  }

  static int payloadLength(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + PAYLOAD_LENGTH));
  }

  static void setPayloadLength(ByteBuffer b, int at, int length) {
    b.putShort(at + PAYLOAD_LENGTH, (short) length);
  }

  static int nextHeader(ByteBuffer b, int at) {
    return b.get(at + NEXT_HEADER) & 0xff;
  }

  static void setTrafficClass(ByteBuffer b, int at, int trafficClass) {
    b.putInt(at + VERSION, VERSION_6 | trafficClass << 20);
  }

  /** Writes a header; the addresses are still to come. */
  static void writeHeader(ByteBuffer b, int at, int payloadLength, int nextHeader, int hopLimit) {
    b.putInt(at + VERSION, VERSION_6);
    setPayloadLength(b, at, payloadLength);
    b.put(at + NEXT_HEADER, (byte) nextHeader);
    b.put(at + HOP_LIMIT, (byte) hopLimit);
  }

  /**
   * Writes the fragment header of the part of a packet that begins at an offset, a multiple of
   * eight; {@link #MIN_EXTENSION} bytes.
   */
  static void writeFragmentHeader(
      ByteBuffer b, int at, int nextHeader, int offset, boolean more, int identification) {
    b.putShort(at + EXTENSION_NEXT, (short) (nextHeader << 8));
    b.putShort(at + FRAGMENT_OFFSET, (short) (offset | (more ? 1 : 0)));
    b.putInt(at + FRAGMENT_IDENTIFICATION, identification);
  }

  /**
   * Checks the fixed header.
   *
   * @param length bytes of the packet
   */
  static Disposition check(ByteBuffer b, int at, int length) {
    if (length < HEADER) {
      return Disposition.MALFORMED;
    }
    return payloadLength(b, at) + HEADER == length ? Disposition.FORWARD : Disposition.WRONG_LENGTH;
  }

  /** Whether this address is no valid source: ::, ::1, ff00::/8, v4-mapped (RFC 4291). */
  static boolean isMartian(long high, long low) {
    boolean unusable = high == 0 && (low == 0 || low == 1);
    return unusable || isMapped(high, low) || high >>> 56 == 0xff;
  }

  /** Whether this is an IPv4 address in the form of an IPv6 one, ::ffff:a.b.c.d. */
  static boolean isMapped(long high, long low) {
    return high == 0 && low >>> 32 == 0xffff;
  }
}
