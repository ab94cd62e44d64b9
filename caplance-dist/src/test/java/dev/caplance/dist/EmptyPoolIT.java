package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.dist.LabConfigs.Underlay;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A service without a backend. */
class EmptyPoolIT {

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int REFUSED = 7;
  private static final int TIMED_OUT = 28;

  private static int curl(Lab lab, String vip) {
    String[] curl = {"curl", "-s", "-g", "--noproxy", "*", "--max-time", "2", "http://" + vip};
    return lab.exec("client", curl).exit();
  }

  /** So that a restart, at which no backend is there yet, resets nobody. */
  @Test
  void newConnectionsAreRefusedButNotAtOnceAndNeverAnythingElse() {
    try (Cluster cluster = new Cluster(LabConfigs.all(Underlay.IPV4));
        Conversations conversations = new Conversations(cluster.lab(), "b1")) {
      assertThat(curl(cluster.lab(), Lab.VIP)).as("at the start").isEqualTo(TIMED_OUT);
      cluster.startBackend("b1");
      cluster.awaitForwarding(1);
      conversations.openUntil(10);
      conversations.awaitProgress();
      cluster.backend("b1").kill();
      cluster.awaitForwarding(0);
      await("refusal").atMost(PATIENCE).until(() -> curl(cluster.lab(), Lab.VIP) == REFUSED);
      assertThat(curl(cluster.lab(), "[" + Lab.VIP6 + "]")).isEqualTo(REFUSED);
      assertDatagramIsRefused(cluster.lab(), Lab.VIP, "IcmpInDestUnreachs");
      assertDatagramIsRefused(cluster.lab(), Lab.VIP6, "Icmp6InDestUnreachs");
      assertThat(conversations.broken()).as("connections that were established").isEmpty();
      cluster.startBackend("b1");
      cluster.awaitForwarding(1);
      conversations.awaitProgress();
      assertThat(conversations.broken()).as("connections after the backend's return").isEmpty();
    }
  }

  private static void assertDatagramIsRefused(Lab lab, String vip, String counter) {
    long before = lab.counters("client", counter);
    lab.exec("client", Lab.java(LabPrograms.Send.class, vip, "7777", "00")).succeeded();
    await(counter).atMost(PATIENCE).until(() -> lab.counters("client", counter) > before);
  }
}
