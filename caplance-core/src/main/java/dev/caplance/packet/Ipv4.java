package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * The IPv4 header (RFC 791), read and written in place.
 *
 * <pre>
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------+-------+---------------+-------------------------------+
 * |   4   |  IHL  | traffic class |         total length          |  0
 * +-------+-------+---------------+-----+-------------------------+
 * |        identification         |flags|     fragment offset     |  4
 * +---------------+---------------+-----+-------------------------+
 * |      TTL      |   protocol    |        header checksum        |  8
 * +---------------+---------------+-------------------------------+
 * |                            source                             | 12
 * +---------------------------------------------------------------+
 * |                          destination                          | 16
 * +---------------------------------------------------------------+
 * |                     options (IHL &gt; 5) …                       | 20
 * </pre>
 */
public final class Ipv4 {

  /** Bytes of a header without options. */
  public static final int MIN_HEADER = 20;

  /** Bytes of an address. */
  static final int ADDRESS = 4;

  static final int VERSION = 0;
  static final int TRAFFIC_CLASS = 1;
  static final int TOTAL_LENGTH = 2;
  static final int IDENTIFICATION = 4;
  static final int FRAGMENT = 6;
  static final int TTL = 8;
  static final int PROTOCOL = 9;
  static final int CHECKSUM = 10;
  static final int SOURCE = 12;
  static final int DESTINATION = 16;

  /** The version and the length of a header without options, in units of four bytes. */
  private static final int VERSION_AND_MIN_HEADER = 0x45;

  private static final int LENGTH_UNIT = 4;
  private static final int OFFSET_UNIT = 8;
  private static final int DONT_FRAGMENT = 0x4000;
  private static final int MORE_FRAGMENTS = 0x2000;
  private static final int MORE_FRAGMENTS_OR_OFFSET = 0x3fff;
  private static final int OFFSET = 0x1fff;

  private Ipv4() {}

  static int headerLength(ByteBuffer b, int at) {
    return (b.get(at + VERSION) & 0x0f) * LENGTH_UNIT;
  }

  static int trafficClass(ByteBuffer b, int at) {
    return b.get(at + TRAFFIC_CLASS) & 0xff;
  }

  static int totalLength(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + TOTAL_LENGTH));
  }

  static void setTotalLength(ByteBuffer b, int at, int length) {
    b.putShort(at + TOTAL_LENGTH, (short) length);
  }

  static int identification(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + IDENTIFICATION));
  }

  /** Sets the lower 16 bits of {@code value}. */
  static void setIdentification(ByteBuffer b, int at, int value) {
    b.putShort(at + IDENTIFICATION, (short) value);
  }

  /** Writes a header without options; the addresses and the checksum are still to come. */
  static void writeHeader(ByteBuffer b, int at, int totalLength, int protocol, int ttl) {
    b.put(at + VERSION, (byte) VERSION_AND_MIN_HEADER);
    b.put(at + TRAFFIC_CLASS, (byte) 0);
    setTotalLength(b, at, totalLength);
    setIdentification(b, at, 0);
    b.putShort(at + FRAGMENT, (short) 0);
    b.put(at + TTL, (byte) ttl);
    b.put(at + PROTOCOL, (byte) protocol);
  }

  /** Makes the packet the part of a larger one that begins at an offset, a multiple of eight. */
  static void setFragment(ByteBuffer b, int at, int offset, boolean more) {
    b.putShort(at + FRAGMENT, (short) ((offset / OFFSET_UNIT) | (more ? MORE_FRAGMENTS : 0)));
  }

  /** Computes the header's checksum. */
  static void completeChecksum(ByteBuffer b, int at) {
    b.putShort(at + CHECKSUM, (short) 0);
    b.putShort(at + CHECKSUM, (short) Checksum.of(b, at, headerLength(b, at)));
  }

  static boolean isFragment(ByteBuffer b, int at) {
    return (b.getShort(at + FRAGMENT) & MORE_FRAGMENTS_OR_OFFSET) != 0;
  }

  /** Whether it is a fragment without the header of the next protocol. */
  static boolean isLaterFragment(ByteBuffer b, int at) {
    return (b.getShort(at + FRAGMENT) & OFFSET) != 0;
  }

  static boolean isDontFragment(ByteBuffer b, int at) {
    return (b.getShort(at + FRAGMENT) & DONT_FRAGMENT) != 0;
  }

  static int protocol(ByteBuffer b, int at) {
    return b.get(at + PROTOCOL) & 0xff;
  }

  static int source(ByteBuffer b, int at) {
    return b.getInt(at + SOURCE);
  }

  static int destination(ByteBuffer b, int at) {
    return b.getInt(at + DESTINATION);
  }

  /**
   * Checks what the kernel checks in the header of a packet that it routes.
   *
   * @param length bytes of the packet
   */
  static Disposition check(ByteBuffer b, int at, int length) {
    if (length < MIN_HEADER) {
      return Disposition.MALFORMED;
    }
    int header = headerLength(b, at);
    if (header < MIN_HEADER || header > length) {
      return Disposition.MALFORMED;
    }
    if (totalLength(b, at) != length) {
      return Disposition.WRONG_LENGTH;
    }
    return Checksum.of(b, at, header) == 0 ? Disposition.FORWARD : Disposition.WRONG_CHECKSUM;
  }

  /** Whether this address is no valid source: 0/8, 127/8 and 224/3 (RFC 1122, RFC 5735). */
  static boolean isMartian(int source) {
    int first = source >>> 24;
    return first == 0 || first == 127 || first >= 224;
  }
}
