package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.dist.LabConfigs.OuterIp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Services without a backend, or without a healthy one. */
class EmptyPoolIT {

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int ANSWERED = 0;
  private static final int REFUSED = 7;
  private static final int TIMED_OUT = 28;

  private static final String SILENT_VIP = "10.77.0.51";
  private static final String SERVICES =
      "services: [{name: web, vip: 10.77.0.50, whenAllUnfit: reject},"
          + " {name: web6, vip: 'fd77::50'},"
          + " {name: silent, vip: 10.77.0.51, whenEmpty: drop}]\n";

  /** Fails while there is this file. */
  private static final Path UNFIT = Lab.directory("b1", "run").resolve("unfit");

  private static final String CHECK =
      "checks: [{type: command, command: [test, '!', -e, /run/caplance/unfit],"
          + " interval: 1s, timeout: 1s, rise: 1, fall: 3}]\n";

  private static Cluster cluster;
  private static Duration firstRefusal;

  /** Tries from the start to connect, until somebody says no. */
  @BeforeAll
  static void awaitRefusal() {
    Map<String, String> files = LabConfigs.all(OuterIp.IPV4, "", CHECK);
    files.put("lb1/lb.yaml", SERVICES + LabConfigs.HASH_KEY);
    Lab.up();
    long begin = System.nanoTime();
    cluster = new Cluster(files);
    await("refusal").atMost(PATIENCE).until(() -> curl(Lab.VIP) == REFUSED);
    firstRefusal = Duration.ofNanos(System.nanoTime() - begin);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @AfterEach
  void stopBackend() throws IOException {
    Files.deleteIfExists(UNFIT);
    if (cluster.backend("b1") != null) {
      cluster.backend("b1").close();
    }
    cluster.awaitForwarding(0);
  }

  private static int curl(String vip) {
    String[] curl = {"curl", "-s", "-g", "--noproxy", "*", "--max-time", "2", "http://" + vip};
    return cluster.lab().exec("client", curl).exit();
  }

  /** So that a restart, at which no backend is there yet, resets nobody. */
  @Test
  void nobodyIsRefusedInTheHalfMinuteAfterAStart() {
    assertThat(firstRefusal).isGreaterThanOrEqualTo(Duration.ofSeconds(30));
  }

  @Test
  void newConnectionsAreRefusedAndOpenOnesReset() {
    try (Conversations conversations = new Conversations(cluster.lab(), "b1")) {
      cluster.startBackend("b1");
      cluster.awaitForwarding(1);
      conversations.openUntil(10);
      conversations.awaitProgress();
      cluster.backend("b1").kill();
      cluster.awaitForwarding(0);
      assertThat(curl(Lab.VIP)).isEqualTo(REFUSED);
      assertThat(curl("[" + Lab.VIP6 + "]")).isEqualTo(REFUSED);
      assertDatagramIsRefused(Lab.VIP, "IcmpInDestUnreachs");
      assertDatagramIsRefused(Lab.VIP6, "Icmp6InDestUnreachs");
      await("resets of the connections that were established")
          .atMost(PATIENCE)
          .until(() -> conversations.broken().size() == 10);
      cluster.startBackend("b1");
      cluster.awaitForwarding(1);
      conversations.openUntil(20);
      conversations.awaitProgress();
    }
  }

  private static void assertDatagramIsRefused(String vip, String counter) {
    Lab lab = cluster.lab();
    long before = lab.counters("client", counter);
    lab.exec("client", Lab.java(LabPrograms.Send.class, vip, "7777", "00")).succeeded();
    await(counter).atMost(PATIENCE).until(() -> lab.counters("client", counter) > before);
  }

  @Test
  void nobodyIsToldWhereTheConfigurationSaysDrop() {
    long before = cluster.dropped("no backend");
    assertThat(curl(SILENT_VIP)).isEqualTo(TIMED_OUT);
    assertThat(cluster.dropped("no backend")).as("dropped SYNs").isGreaterThan(before);
  }

  /** The service of the other VIP says nothing of it, and forwards. */
  @Test
  void anUnfitBackendKeepsItsConnectionsWhereNewOnesAreRejected() throws IOException {
    try (Conversations conversations = new Conversations(cluster.lab(), "b1")) {
      cluster.startBackend("b1");
      cluster.awaitForwarding(1);
      conversations.openUntil(10);
      Files.createFile(UNFIT);
      cluster.awaitForwarding(0);
      assertThat(curl(Lab.VIP)).isEqualTo(REFUSED);
      assertThat(curl("[" + Lab.VIP6 + "]")).isEqualTo(ANSWERED);
      conversations.awaitProgress();
      assertThat(conversations.broken()).isEmpty();
      Files.delete(UNFIT);
      cluster.awaitForwarding(1);
      assertThat(curl(Lab.VIP)).isEqualTo(ANSWERED);
    }
  }
}
