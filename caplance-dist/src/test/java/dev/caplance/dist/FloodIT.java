package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Attackers who send what costs them nothing. */
class FloodIT {

  private static final int CONNECTIONS = 100;
  private static final int SYNS = 1_000_000;
  private static final int BURST = 250_000;

  /**
   * The flow table has room for far fewer than the flood, or for about as many. Afterwards a third
   * of the slots moves to a backend that joins: only who is still known stays where it is.
   */
  @ParameterizedTest
  @ValueSource(ints = {65_536, 1_048_576})
  void aFloodOfSynsMovesNoEstablishedConnection(int flows) {
    String yaml =
        "services: [{vip: 10.77.0.50}]\n" + LabConfigs.HASH_KEY + "flows: {max: " + flows + "}\n";
    try (Cluster cluster = new Cluster(Map.of("lb1/lb.yaml", yaml), "b1", "b2");
        Conversations conversations = new Conversations(cluster.lab(), "b1", "b2", "b3")) {
      conversations.openUntil(CONNECTIONS);
      conversations.awaitProgress();
      flood(cluster);
      conversations.awaitProgress();
      cluster.startBackend("b3");
      cluster.awaitForwarding(3);
      conversations.awaitProgress();
      assertThat(conversations.watched()).hasSize(CONNECTIONS);
      assertThat(conversations.broken()).isEmpty();
    }
  }

  private static void flood(Cluster cluster) {
    long end = cluster.worker("packets") + SYNS;
    for (int seed = 0; cluster.worker("packets") < end; seed++) {
      String[] flood = Lab.java(RawPrograms.SynFlood.class, Lab.VIP, "7000", "" + BURST, "" + seed);
      cluster.lab().exec("client", flood).succeeded();
    }
  }
}
