package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpProtocol;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FlowTableTest {

  private static final Dataplane.FlowTimeouts TIMEOUTS =
      new Dataplane.FlowTimeouts(
          Duration.ofSeconds(600), Duration.ofSeconds(120), Duration.ofSeconds(30));
  private static final FlowHash HASH = new FlowHash(new byte[16]);

  private static final FlowKey SYN = TestPackets.tcp(40000, TestPackets.SYN);
  private static final FlowKey ACK = TestPackets.tcp(40000, TestPackets.ACK);
  private static final FlowKey FIN = TestPackets.tcp(40000, TestPackets.FIN);
  private static final FlowKey RST = TestPackets.tcp(40000, TestPackets.RST);

  private FlowTable table = new FlowTable(1024, TIMEOUTS);

  @AfterEach
  void free() {
    table.close();
  }

  private static Fingerprint fingerprint(String source, int sourcePort, int port) {
    Fingerprint fingerprint = new Fingerprint();
    InetSocketAddress vip = new InetSocketAddress("10.0.0.50", port);
    InetSocketAddress client = new InetSocketAddress(source, sourcePort);
    HASH.of(FlowKey.of(IpProtocol.TCP, client, vip), fingerprint);
    return fingerprint;
  }

  private static Fingerprint flow(int number) {
    return fingerprint("192.0.2.1", number + 1, 80);
  }

  private void connect(int number, int targetId, int now) {
    assertThat(table.store(flow(number), targetId, now)).isTrue();
    table.touch(table.find(flow(number), now), ACK, now);
  }

  private int targetOf(int number, int now) {
    int entry = table.find(flow(number), now);
    return entry == FlowTable.NONE ? FlowTable.NONE : table.targetId(entry);
  }

  @Test
  void keepsTheTargetOfEachFlow() {
    for (int i = 0; i < 200; i++) {
      connect(i, 1000 + i, 0);
    }
    for (int i = 0; i < 200; i++) {
      assertThat(targetOf(i, 599)).isEqualTo(1000 + i);
    }
    assertThat(targetOf(200, 0)).isEqualTo(FlowTable.NONE);
    assertThat(table.count()).isEqualTo(200);
  }

  @Test
  void forgetsWhatIsSilentForTooLong() {
    connect(1, 7, 100);
    assertThat(targetOf(1, 700)).isEqualTo(7);
    assertThat(targetOf(1, 701)).isEqualTo(FlowTable.NONE);
    connect(2, 7, 100);
    table.touch(table.find(flow(2), 600), ACK, 600);
    assertThat(targetOf(2, 1200)).isEqualTo(7);
  }

  @Test
  void forgetsSoonerWhatHasEndedOrNeverBegan() {
    connect(1, 7, 0);
    table.touch(table.find(flow(1), 0), FIN, 0);
    connect(2, 7, 0);
    table.touch(table.find(flow(2), 0), RST, 0);
    table.store(flow(3), 7, 0);
    table.touch(table.find(flow(3), 0), SYN, 0);
    assertThat(targetOf(1, 30)).isEqualTo(7);
    assertThat(targetOf(1, 31)).isEqualTo(FlowTable.NONE);
    assertThat(targetOf(2, 31)).isEqualTo(FlowTable.NONE);
    assertThat(targetOf(3, 60)).isEqualTo(7);
    assertThat(targetOf(3, 61)).isEqualTo(FlowTable.NONE);
  }

  @Test
  void aClosingConnectionStaysClosing() {
    connect(1, 7, 0);
    table.touch(table.find(flow(1), 0), FIN, 0);
    table.touch(table.find(flow(1), 0), ACK, 0);
    assertThat(table.isClosing(table.find(flow(1), 0))).isTrue();
  }

  @Test
  void movesAFlow() {
    connect(1, 7, 0);
    table.move(table.find(flow(1), 5), 8, 5);
    assertThat(targetOf(1, 5)).isEqualTo(8);
    assertThat(table.count()).isEqualTo(1);
  }

  /** No look at the whole table is needed for it, ever. */
  @Test
  void countsTheFlowsAndSweepsThoseWhoseTimeIsOver() {
    for (int i = 0; i < 100; i++) {
      connect(i, 7, 0);
    }
    table.store(flow(100), 7, 0);
    assertThat(table.count()).isEqualTo(101);
    for (int now = 1; now <= 200; now++) {
      table.sweep(now);
      table.sweep(now);
    }
    assertThat(table.count()).as("that handshake has failed").isEqualTo(100);
    for (int now = 601; now <= 800; now++) {
      table.sweep(now);
    }
    assertThat(table.count()).isZero();
    connect(1, 8, 801);
    assertThat(table.count()).isEqualTo(1);
    assertThat(targetOf(1, 801)).isEqualTo(8);
  }

  @Test
  void otherTimeoutsHoldFromThenOn() {
    connect(1, 7, 0);
    table.setTimeouts(
        new Dataplane.FlowTimeouts(
            Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(5)));
    assertThat(targetOf(1, 5)).isEqualTo(7);
    assertThat(targetOf(1, 6)).isEqualTo(FlowTable.NONE);
  }

  /** A thousand times as many SYNs as there are entries, each from somebody else. */
  @Test
  void aFloodOfSynsDisplacesNoConnection() {
    for (int i = 0; i < 300; i++) {
      connect(i, 1000 + i, 0);
    }
    SplittableRandom random = new SplittableRandom(5);
    int stored = 0;
    for (int i = 0; i < 1_000_000; i++) {
      String source = "198.51.100." + random.nextInt(256);
      Fingerprint forged =
          fingerprint(source, random.nextInt(1, 65_536), random.nextInt(1, 65_536));
      int now = i / 10_000;
      if (table.find(forged, now) == FlowTable.NONE && table.store(forged, 1, now)) {
        stored++;
      }
    }
    assertThat(stored).isGreaterThan(500_000);
    for (int i = 0; i < 300; i++) {
      assertThat(targetOf(i, 100)).isEqualTo(1000 + i);
    }
  }

  @Test
  void theOldestNewFlowOfASetMakesRoom() {
    table.close();
    table = new FlowTable(8, TIMEOUTS);
    for (int i = 0; i < 8; i++) {
      table.store(flow(i), 1000 + i, i);
    }
    table.touch(table.find(flow(0), 9), ACK, 9);
    assertThat(table.store(flow(8), 1008, 10)).isTrue();
    assertThat(targetOf(1, 10)).as("the oldest").isEqualTo(FlowTable.NONE);
    assertThat(targetOf(0, 10)).as("a connection").isEqualTo(1000);
    assertThat(targetOf(8, 10)).isEqualTo(1008);
  }

  @Test
  void aSetFullOfConnectionsTakesNoMore() {
    table.close();
    table = new FlowTable(8, TIMEOUTS);
    for (int i = 0; i < 8; i++) {
      connect(i, 1000 + i, 0);
    }
    assertThat(table.notKept()).isZero();
    assertThat(table.store(flow(8), 1008, 1)).isFalse();
    assertThat(table.notKept()).isEqualTo(1);
    assertThat(table.store(flow(8), 1008, 601)).as("when their time is over").isTrue();
  }
}
