package dev.caplance.packet;

import java.nio.ByteBuffer;

/** What TCP (RFC 9293) and UDP (RFC 768) headers have in common: two ports at the front. */
final class Transport {

  static final int TCP_MIN_HEADER = 20;
  static final int UDP_HEADER = 8;

  /** Bytes of the two ports. */
  static final int PORTS = 4;

  static final int FIN = 0x01;
  static final int SYN = 0x02;
  static final int RST = 0x04;
  static final int PSH = 0x08;
  static final int ACK = 0x10;
  static final int CWR = 0x80;

  private Transport() {}

  static int sourcePort(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at));
  }

  static int destinationPort(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + 2));
  }

  /** Where the sequence number stands in a TCP header. */
  static final int SEQUENCE = 4;

  /** Where flags stand in a TCP header. */
  static final int FLAGS = 13;

  /** Where the checksum stands in a TCP header. */
  static final int TCP_CHECKSUM = 16;

  /** Bytes of a TCP header with its options. */
  static int tcpHeaderLength(ByteBuffer b, int at) {
    return (b.get(at + 12) >>> 4 & 0x0f) * 4;
  }

  /**
   * The sum of the pseudo-header (RFC 9293, §3.1; RFC 8200, §8.1) of a packet that begins at ip.
   */
  static long pseudoHeader(ByteBuffer b, boolean ipv4, int ip, int protocol, int length) {
    return ipv4
        ? Checksum.sum(b, ip + Ipv4.SOURCE, 8) + protocol + length
        : Checksum.sum(b, ip + Ipv6.SOURCE, 32) + protocol + length;
  }

  static int tcpFlags(ByteBuffer b, int at) {
    return b.get(at + 13) & 0xff;
  }
}
