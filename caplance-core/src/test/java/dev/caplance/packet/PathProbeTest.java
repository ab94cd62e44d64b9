package dev.caplance.packet;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PathProbeTest {

  private static final InetAddress LB = IpAddresses.parse("10.0.0.2");
  private static final InetAddress BACKEND = IpAddresses.parse("10.0.0.11");
  private static final InetAddress LB6 = IpAddresses.parse("2001:db8::2");
  private static final InetAddress BACKEND6 = IpAddresses.parse("2001:db8::11");

  private final ByteBuffer packet = ByteBuffer.allocate(9000);

  @Test
  void writesAUdpPacketWithItsTokenByteForByte() {
    int length = PathProbe.write(LB, 40_000, BACKEND, 1337, "Ab_-9", 0, packet);

    assertThat(HexFormat.of().formatHex(packet.array(), 0, length))
        .isEqualTo(
            "4500002800000000401166b90a0000020a00000b" // 40 bytes of UDP, TTL 64
                + "9c40053900148bf1" // 40000 to 1337
                + "50524f42452041625f2d390a"); // PROBE Ab_-9\n
  }

  @Test
  void padsToTheSizeThatIsAskedForWithAValidChecksum() {
    int length = PathProbe.write(LB, 40_000, BACKEND, 1337, "token", 1472, packet);
    assertThat(length).isEqualTo(1472);
    assertThat(new IpHeader().read(packet, 0, length)).isEqualTo(Disposition.FORWARD);
    long sum = Transport.pseudoHeader(packet, true, 0, IpProtocol.UDP, length - 20);
    assertThat(Checksum.finish(sum + Checksum.sum(packet, 20, length - 20))).isZero();
    assertThat(PathProbe.token(packet, 28, length - 28)).contains("token");
  }

  @Test
  void writesIpv6() {
    int length = PathProbe.write(LB6, 40_000, BACKEND6, 1337, "token", 1452, packet);
    assertThat(length).isEqualTo(1452);
    assertThat(new IpHeader().read(packet, 0, length)).isEqualTo(Disposition.FORWARD);
    long sum = Transport.pseudoHeader(packet, false, 0, IpProtocol.UDP, length - 40);
    assertThat(Checksum.finish(sum + Checksum.sum(packet, 40, length - 40))).isZero();
    assertThat(PathProbe.token(packet, 48, length - 48)).contains("token");
  }

  @Test
  void clearsWhatAnEarlierProbeLeftInTheBuffer() {
    PathProbe.write(LB, 40_000, BACKEND, 1337, "x".repeat(128), 0, packet);
    int length = PathProbe.write(LB, 40_000, BACKEND, 1337, "y", 200, packet);
    assertThat(PathProbe.token(packet, 28, length - 28)).contains("y");
    assertThat(packet.get(100)).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"PROBE ", "PROBE x", "PROBE a b\n", "probe x\n", "SANITY x\n", "P", ""})
  void readsNoTokenFromAnythingElse(String payload) {
    byte[] bytes = payload.getBytes(US_ASCII);
    assertThat(PathProbe.token(ByteBuffer.wrap(bytes), 0, bytes.length)).isEmpty();
  }

  @Test
  void readsItsReply() {
    byte[] reply = PathProbe.reply("Ab_-9");
    assertThat(reply).asString(US_ASCII).isEqualTo("SANE Ab_-9");
    assertThat(PathProbe.replyToken(ByteBuffer.wrap(reply), 0, reply.length)).contains("Ab_-9");
    assertThat(PathProbe.replyToken(ByteBuffer.wrap(reply), 0, 4)).isEmpty();
    byte[] longer = PathProbe.reply("x".repeat(200));
    assertThat(PathProbe.replyToken(ByteBuffer.wrap(longer), 0, longer.length)).isEmpty();
  }
}
