package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import dev.caplance.dist.LabConfigs.OuterIp;
import org.junit.jupiter.api.Test;

/**
 * Daemons of an earlier build are replaced by those of this one, one after the other. Each works
 * with the other build at the other end, and with the state files and the journal of the one before
 * it on its host.
 */
class UpgradeIT {

  private static final String[] NAMES = {"b1", "b2", "b3"};
  private static final int CONNECTIONS = 60;

  private final Lab lab = Lab.up();

  @Test
  void theLoadBalancerFirst() {
    try (Cluster cluster = previous();
        Conversations conversations = new Conversations(lab, NAMES)) {
      conversations.openUntil(CONNECTIONS);
      assertThat(cluster.balancer().stop()).isZero();
      cluster.startBalancer();
      assertAllIsWell(cluster, conversations);
      for (String name : NAMES) {
        conversations.forgive(name);
        assertThat(cluster.backend(name).stop()).isZero();
        cluster.startBackend(name);
        assertAllIsWell(cluster, conversations);
      }
    }
  }

  /** None of them can clean up. */
  @Test
  void theBackendsFirstAfterCrashes() {
    try (Cluster cluster = previous();
        Conversations conversations = new Conversations(lab, NAMES)) {
      conversations.openUntil(CONNECTIONS);
      for (String name : NAMES) {
        conversations.forgive(name);
        cluster.backend(name).kill();
        cluster.startBackend(name);
        assertAllIsWell(cluster, conversations);
      }
      cluster.balancer().kill();
      cluster.startBalancer();
      assertAllIsWell(cluster, conversations);
    }
  }

  /** Runs daemons of the earlier build; those that are started later are of this one. */
  private static Cluster previous() {
    Cluster cluster = new Cluster(PreviousBuild.launcher(), LabConfigs.all(OuterIp.IPV4), NAMES);
    cluster.upgrade(Lab.script("caplance"));
    return cluster;
  }

  private static void assertAllIsWell(Cluster cluster, Conversations conversations) {
    cluster.awaitForwarding(NAMES.length);
    conversations.awaitProgress();
    assertThat(conversations.broken()).isEmpty();
    assertOneDrains(cluster);
    conversations.awaitProgress();
    assertThat(conversations.broken()).as("after a drain").isEmpty();
    conversations.openUntil(CONNECTIONS);
    assertThat(cluster.request(60)).containsOnlyKeys(NAMES);
    for (JsonElement backend : cluster.balancer().status().getAsJsonArray("backends")) {
      assertThat(backend.getAsJsonObject().get("version").getAsInt()).isEqualTo(2);
    }
  }

  private static void assertOneDrains(Cluster cluster) {
    cluster.backend("b1").call("drain");
    cluster.awaitForwarding(NAMES.length - 1);
    cluster.backend("b1").call("resume");
    cluster.awaitForwarding(NAMES.length);
  }
}
