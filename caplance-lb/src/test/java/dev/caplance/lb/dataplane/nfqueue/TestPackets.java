package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.Disposition;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import java.nio.ByteBuffer;
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

  /** A segment from this port with these flags. */
  static FlowKey tcp(int port, int flags) {
    byte[] bytes = HexFormat.of().parseHex(TCP);
    bytes[20] = (byte) (port >>> 8);
    bytes[21] = (byte) port;
    bytes[33] = (byte) flags;
    return read(bytes);
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
