package dev.caplance.backend.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpHeader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class UdpFlowsTest {

  /** From 198.51.100.7:12345 to 10.77.0.50:9. */
  private static final String UDP =
      "4500002112340000401133dfc63364070a4d003230390009000deafe68656c6c6f";

  private static final long START = Long.MAX_VALUE - 1000;

  private final UdpFlows flows = new UdpFlows(START);
  private final IpHeader header = new IpHeader();
  private final ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(UDP));

  private static long at(long seconds) {
    return START + TimeUnit.SECONDS.toNanos(seconds);
  }

  private void saw(int sourcePort, long second) {
    bytes.putShort(20, (short) sourcePort);
    assertThat(header.read(bytes, 0, bytes.limit())).isEqualTo(Disposition.FORWARD);
    flows.beginBatch(at(second));
    flows.saw(header, bytes);
  }

  @Test
  void countsTheFlowsOfWhichPacketsCameLately() {
    assertThat(flows.count(30, at(0))).isZero();
    saw(1, 0);
    saw(1, 0);
    saw(2, 10);
    assertThat(flows.count(30, at(29))).isEqualTo(2);
    assertThat(flows.count(30, at(31))).isEqualTo(1);
    saw(1, 35);
    assertThat(flows.count(30, at(35))).isEqualTo(2);
    assertThat(flows.count(30, at(66))).isZero();
  }

  @Test
  void tcpAndFragmentsDoNotCount() {
    bytes.put(9, (byte) 6).putShort(10, (short) 0x33ea);
    saw(1, 0);
    bytes.put(9, (byte) 17).putShort(6, (short) 100).putShort(10, (short) 0x337b);
    saw(1, 0);
    assertThat(flows.count(30, at(0))).isZero();
  }

  /** The old ones make room for the new. */
  @Test
  void holdsTensOfThousands() {
    for (int port = 1; port < 60_000; port++) {
      saw(port, 1);
    }
    assertThat(flows.count(30, at(1))).isBetween(40_000, 60_000);
    for (int port = 1; port < 20_000; port++) {
      saw(port, 100);
    }
    assertThat(flows.count(30, at(100))).isBetween(19_900, 19_999);
  }
}
