package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * TCP (RFC 9293) and UDP (RFC 768) headers, read and written in place. Both begin with the two
 * ports.
 *
 * <pre>
 *  0 source port      2 destination port
 *  4 sequence number  8 acknowledgement number
 * 12 header length in the upper four bits, in units of 4 bytes   13 flags   14 window
 * 16 checksum        18 urgent pointer                           20 options …
 * </pre>
 */
final class Transport {

  static final int TCP_MIN_HEADER = 20;
  static final int UDP_HEADER = 8;

  /** Bytes of the two ports. */
  static final int PORTS = 4;

  static final int SOURCE_PORT = 0;
  static final int DESTINATION_PORT = 2;
  static final int SEQUENCE = 4;
  static final int ACKNOWLEDGEMENT = 8;
  static final int FLAGS = 13;
  static final int WINDOW = 14;
  static final int TCP_CHECKSUM = 16;
  static final int URGENT = 18;

  /** Where the header's length stands. */
  static final int DATA_OFFSET = 12;

  static final int FIN = 0x01;
  static final int SYN = 0x02;
  static final int RST = 0x04;
  static final int PSH = 0x08;
  static final int ACK = 0x10;
  static final int CWR = 0x80;

  private static final int LENGTH_UNIT = 4;

  private Transport() {}

  static int sourcePort(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + SOURCE_PORT));
  }

  static int destinationPort(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + DESTINATION_PORT));
  }

  /** Bytes of a TCP header with its options. */
  static int tcpHeaderLength(ByteBuffer b, int at) {
    return (b.get(at + DATA_OFFSET) >>> 4 & 0x0f) * LENGTH_UNIT;
  }

  static void setTcpHeaderLength(ByteBuffer b, int at, int length) {
    b.put(at + DATA_OFFSET, (byte) ((length / LENGTH_UNIT) << 4));
  }

  static int tcpFlags(ByteBuffer b, int at) {
    return b.get(at + FLAGS) & 0xff;
  }

  /**
   * The sum of the pseudo-header (RFC 9293, §3.1; RFC 8200, §8.1) of a packet that begins at ip.
   */
  static long pseudoHeader(ByteBuffer b, boolean ipv4, int ip, int protocol, int length) {
    return ipv4
        ? Checksum.sum(b, ip + Ipv4.SOURCE, 2 * Ipv4.ADDRESS) + protocol + length
        : Checksum.sum(b, ip + Ipv6.SOURCE, 2 * Ipv6.ADDRESS) + protocol + length;
  }
}
