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
  static final int ACK = 0x10;

  private Transport() {}

  static int sourcePort(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at));
  }

  static int destinationPort(ByteBuffer b, int at) {
    return Short.toUnsignedInt(b.getShort(at + 2));
  }

  static int tcpFlags(ByteBuffer b, int at) {
    return b.get(at + 13) & 0xff;
  }
}
