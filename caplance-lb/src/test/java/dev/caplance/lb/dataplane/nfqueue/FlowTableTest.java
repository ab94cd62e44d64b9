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

  private static final FlowKey ACK = TestPackets.tcp(40000, TestPackets.ACK);
  private static final FlowKey DATA = TestPackets.data(40000, 1);
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
    assertThat(table.store(flow(number), targetId, false, now)).isTrue();
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

  /** The kernels' keepalive alone is silent for two hours. */
  @Test
  void timeEndsNoConnectionForWhichThereIsRoom() {
    connect(1, 7, 0);
    connect(2, 8, 0);
    table.touch(table.find(flow(2), 0), FIN, 0);
    connect(3, 9, 0);
    table.touch(table.find(flow(3), 0), RST, 0);
    assertThat(table.store(flow(4), 10, false, 0)).isTrue();
    int days = 10 * 24 * 3600;
    for (int now = 1; now <= 1000; now++) {
      table.sweep(now);
    }
    assertThat(targetOf(1, days)).isEqualTo(7);
    assertThat(targetOf(2, days)).as("half closed").isEqualTo(8);
    assertThat(targetOf(3, days)).as("reset, perhaps by somebody else").isEqualTo(9);
    assertThat(targetOf(4, days)).isEqualTo(10);
  }

  @Test
  void timeEndsUdpFlows() {
    table.store(flow(1), 7, true, 100);
    assertThat(targetOf(1, 220)).isEqualTo(7);
    assertThat(targetOf(1, 221)).isEqualTo(FlowTable.NONE);
    table.store(flow(2), 7, true, 100);
    table.touch(table.find(flow(2), 200), ACK, 200);
    assertThat(targetOf(2, 320)).isEqualTo(7);
    assertThat(targetOf(2, 321)).isEqualTo(FlowTable.NONE);
  }

  private int stateAfter(FlowKey... packets) {
    table.close();
    table = new FlowTable(8, TIMEOUTS);
    connect(1, 7, 0);
    for (FlowKey packet : packets) {
      table.touch(table.find(flow(1), 0), packet, 0);
    }
    return table.state(table.find(flow(1), 0));
  }

  @Test
  void whatTheClientSendsNextContradictsAForgedEnd() {
    assertThat(stateAfter(FIN)).isEqualTo(FlowState.FIN);
    assertThat(stateAfter(FIN, ACK)).as("it goes on to acknowledge").isEqualTo(FlowState.FIN);
    assertThat(stateAfter(FIN, DATA)).isEqualTo(FlowState.TCP);
    assertThat(stateAfter(RST)).isEqualTo(FlowState.RESET);
    assertThat(stateAfter(RST, ACK)).isEqualTo(FlowState.TCP);
    assertThat(stateAfter(RST, DATA)).isEqualTo(FlowState.TCP);
    assertThat(stateAfter(RST, FIN)).isEqualTo(FlowState.FIN);
  }

  @Test
  void movesAFlow() {
    connect(1, 7, 0);
    table.move(table.find(flow(1), 5), 8, 5);
    assertThat(targetOf(1, 5)).isEqualTo(8);
    assertThat(table.count()).isEqualTo(1);
  }

  private void sweepAll(int from) {
    for (int now = from; now <= from + 130; now++) {
      table.sweep(now);
      table.sweep(now);
    }
  }

  /** The whole table is never scanned for it. */
  @Test
  void countsTheFlowsThatWereSeenLately() {
    for (int i = 0; i < 100; i++) {
      connect(i, 7, 0);
    }
    table.store(flow(100), 7, false, 0);
    table.store(flow(101), 7, true, 0);
    assertThat(table.count()).isEqualTo(102);
    sweepAll(70);
    assertThat(table.count()).as("without that handshake").isEqualTo(101);
    sweepAll(270);
    assertThat(table.count()).as("without that UDP flow").isEqualTo(100);
    sweepAll(601);
    assertThat(table.count()).isZero();
    assertThat(targetOf(1, 731)).as("known nevertheless").isEqualTo(7);
    table.touch(table.find(flow(1), 731), ACK, 731);
    table.touch(table.find(flow(1), 731), ACK, 731);
    assertThat(table.count()).isEqualTo(1);
    sweepAll(1332);
    assertThat(table.count()).isZero();
  }

  @Test
  void newTimeoutsApplyAtOnce() {
    table.store(flow(1), 7, true, 0);
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
      if (table.find(forged, now) == FlowTable.NONE && table.store(forged, 1, false, now)) {
        stored++;
      }
    }
    assertThat(stored).isGreaterThan(500_000);
    for (int i = 0; i < 300; i++) {
      assertThat(targetOf(i, 100)).isEqualTo(1000 + i);
    }
  }

  /**
   * Two packets of each forged flow look like a connection. Those that were there first keep their
   * places; once the flood is over, the forged ones make room for new connections.
   */
  @Test
  void aFloodOfTwoPacketsAFlowDisplacesNoConnectionAndPasses() {
    table.close();
    table = new FlowTable(4096, TIMEOUTS);
    for (int i = 0; i < 300; i++) {
      connect(i, 1000 + i, 0);
    }
    for (int i = 0; i < 100_000; i++) {
      Fingerprint forged = fingerprint("198.51.100." + i % 256, i / 256 + 1, 80);
      if (table.store(forged, 1, false, 1)) {
        table.touch(table.find(forged, 1), ACK, 1);
      }
    }
    assertThat(table.store(flow(300), 1300, false, 2)).as("no room").isFalse();
    assertThat(table.notKept()).isPositive();
    for (int i = 0; i < 300; i++) {
      assertThat(targetOf(i, 2)).isEqualTo(1000 + i);
      table.touch(table.find(flow(i), 500), ACK, 500);
    }
    for (int i = 300; i < 600; i++) {
      connect(i, 1000 + i, 602);
    }
    for (int i = 0; i < 600; i++) {
      assertThat(targetOf(i, 602)).isEqualTo(1000 + i);
    }
  }

  @Test
  void newFlowsMakeRoomFirstThenClosingOnesThenSilentOnes() {
    table.close();
    table = new FlowTable(8, TIMEOUTS);
    for (int i = 0; i < 8; i++) {
      connect(i, 1000 + i, i);
    }
    table.touch(table.find(flow(4), 10), FIN, 10);
    table.touch(table.find(flow(5), 11), RST, 11);
    table.move(table.find(flow(6), 12), 1006, 12);
    table.move(table.find(flow(7), 13), 1007, 13);
    int[] order = {6, 7, 4, 5};
    for (int i = 0; i < order.length; i++) {
      connect(10 + i, 1, 20);
      assertThat(targetOf(order[i], 20)).isEqualTo(FlowTable.NONE);
    }
    assertThat(table.store(flow(20), 1, false, 600)).isFalse();
    connect(20, 1, 602);
    assertThat(targetOf(0, 602)).as("silent for longer than its timeout").isEqualTo(-1);
    connect(21, 1, 602);
    assertThat(targetOf(1, 602)).isEqualTo(-1);
    assertThat(table.store(flow(22), 1, false, 602)).isFalse();
    assertThat(targetOf(2, 602)).isEqualTo(1002);
    assertThat(table.count()).isEqualTo(8);
  }
}
