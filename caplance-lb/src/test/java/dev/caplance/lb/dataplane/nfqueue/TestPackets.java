package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.Checksum;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;

/** Packets from 198.51.100.7 to port 80 of 10.0.0.50, and errors about the answers to them. */
final class TestPackets {

  static final int SYN = 0x02;
  static final int ACK = 0x10;
  static final int FIN = 0x11;
  static final int RST = 0x04;

  static final String TCP =
      "450000280001400040060663c63364070a0000329c400050000000010000000050022000bee40000";
  private static final String FRAGMENTATION_NEEDED =
      "450000380002000040013490cb0071010a00003203045aec00000578450005dc00094000400600a70a000032"
          + "c633640700509c4000000007";

  private TestPackets() {}

  /** A segment from this port with these flags and the sequence number 1. */
  static FlowKey tcp(int port, int flags) {
    return tcp(port, flags, 1);
  }

  static FlowKey tcp(int port, int flags, int sequence) {
    return read(segment(port, flags, sequence, 0));
  }

  /** A segment with a payload. */
  static FlowKey data(int port, int sequence) {
    return read(segment(port, ACK, sequence, 100));
  }

  /** A datagram from this port. */
  static FlowKey udp(int port) {
    byte[] bytes = segment(port, 0, 0, 0);
    bytes[9] = 17;
    return read(withChecksum(bytes));
  }

  private static byte[] segment(int port, int flags, int sequence, int payload) {
    byte[] bytes = Arrays.copyOf(HexFormat.of().parseHex(TCP), 40 + payload);
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    packet.putShort(2, (short) bytes.length).putShort(20, (short) port).putInt(24, sequence);
    packet.put(33, (byte) flags);
    return withChecksum(bytes);
  }

  private static byte[] withChecksum(byte[] bytes) {
    ByteBuffer packet = ByteBuffer.wrap(bytes).putShort(10, (short) 0);
    return packet.putShort(10, (short) Checksum.of(packet, 0, 20)).array();
  }

  /** From a router, quoting what the VIP answered to this port. */
  static FlowKey error(int port) {
    byte[] bytes = HexFormat.of().parseHex(FRAGMENTATION_NEEDED);
    bytes[50] = (byte) (port >>> 8);
    bytes[51] = (byte) port;
    return read(bytes);
  }

  private static FlowKey read(byte[] bytes) {
    IpHeader header = new IpHeader();
    FlowKey key = new FlowKey();
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    assertThat(header.read(buffer, 0, bytes.length)).isEqualTo(Disposition.FORWARD);
    assertThat(key.read(header, buffer)).isEqualTo(Disposition.FORWARD);
    return key;
  }
}
