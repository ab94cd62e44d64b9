package dev.caplance.backend.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.Checksum;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.PathProbe;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What may be delivered to the data port itself: a path probe of its sender, and nothing else. */
class DataPortTest {

  private static boolean takes(
      String from, String to, int port, String sender, Consumer<ByteBuffer> change) {
    InetAddress own = IpAddresses.parse(from.contains(":") ? "fd00::11" : "10.0.0.11");
    ByteBuffer packet = ByteBuffer.allocate(2000);
    int length =
        PathProbe.write(
            IpAddresses.parse(from), 40_000, IpAddresses.parse(to), port, "token", 1400, packet);
    change.accept(packet);
    if (!from.contains(":")) {
      packet.putShort(10, (short) 0).putShort(10, (short) Checksum.of(packet, 0, 20));
    }
    IpHeader header = new IpHeader();
    assertThat(header.read(packet, 0, length)).isEqualTo(Disposition.FORWARD);
    InetAddress outer = IpAddresses.parse(sender);
    return new DataPort(own, 1337)
        .takes(header, packet, IpAddresses.high(outer), IpAddresses.low(outer));
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.2, 10.0.0.11, 1337, 10.0.0.2, true",
    "fd00::2, fd00::11, 1337, fd00::2, true",
    "10.0.0.2, 10.0.0.12, 1337, 10.0.0.2, false",
    "10.0.0.2, 10.0.0.11, 1338, 10.0.0.2, false",
    "10.0.0.3, 10.0.0.11, 1337, 10.0.0.2, false",
    "fd00::3, fd00::11, 1337, fd00::2, false",
  })
  void takesAProbeFromItsSenderToItself(
      String from, String to, int port, String sender, boolean taken) {
    assertThat(takes(from, to, port, sender, ByteBuffer::mark)).isEqualTo(taken);
  }

  @Test
  void takesNothingThatCouldBeAPacketWrappedAgainOrIsNoUdp() {
    String from = "10.0.0.2";
    String own = "10.0.0.11";
    assertThat(takes(from, own, 1337, from, packet -> packet.put(28, (byte) 0x45))).isFalse();
    assertThat(takes(from, own, 1337, from, packet -> packet.put(9, (byte) 6))).isFalse();
    assertThat(takes(from, own, 1337, from, packet -> packet.putShort(6, (short) 0x2000)))
        .as("a fragment")
        .isFalse();
  }
}
