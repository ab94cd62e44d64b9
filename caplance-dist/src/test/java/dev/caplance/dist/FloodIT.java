package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Attackers who send what costs them nothing. */
class FloodIT {

  private static final String[] BACKENDS = {"b1", "b2"};
  private static final int CONNECTIONS = 100;
  private static final int SYNS = 1_000_000;
  private static final int BURST = 250_000;

  private final Lab lab = Lab.up();

  @BeforeEach
  void countForgedSyns() {
    count("-A");
  }

  @AfterEach
  void countNoMore() {
    count("-D");
  }

  /**
   * The flow table has room for far fewer than the flood, or for about as many. Afterwards a third
   * of the slots moves to a backend that joins: only who is still known stays where it is.
   */
  @ParameterizedTest
  @ValueSource(ints = {65_536, 1_048_576})
  void aFloodOfSynsMovesNoEstablishedConnection(int flows) {
    String yaml =
        "services: [{vip: 10.77.0.50}]\n" + LabConfigs.HASH_KEY + "flows: {max: " + flows + "}\n";
    try (Cluster cluster = new Cluster(Map.of("lb1/lb.yaml", yaml), BACKENDS);
        Conversations conversations = new Conversations(cluster.lab(), "b1", "b2", "b3")) {
      conversations.openUntil(CONNECTIONS);
      conversations.awaitProgress();
      flood();
      conversations.awaitProgress();
      cluster.startBackend("b3");
      cluster.awaitForwarding(3);
      conversations.awaitProgress();
      assertThat(conversations.watched()).hasSize(CONNECTIONS);
      assertThat(conversations.broken()).isEmpty();
    }
  }

  /** Until so many have reached the backends: what was lost on the way has displaced nothing. */
  private void flood() {
    for (int seed = 0; forgedSyns() < SYNS; seed++) {
      assertThat(seed).as("bursts, of which some must arrive").isLessThan(10 * SYNS / BURST);
      String[] flood = Lab.java(RawPrograms.SynFlood.class, Lab.VIP, "7000", "" + BURST, "" + seed);
      lab.exec("client", flood).succeeded();
    }
  }

  private long forgedSyns() {
    return Stream.of(BACKENDS).mapToLong(name -> forgedSyns(name)).sum();
  }

  /** The first number of the rule's line is how many packets it has seen. */
  private long forgedSyns(String name) {
    String[] list = {"iptables", "-t", "raw", "-nvxL", "PREROUTING"};
    return lab.exec(name, list)
        .succeeded()
        .out()
        .lines()
        .filter(line -> line.contains(RawPrograms.SynFlood.SOURCES))
        .mapToLong(line -> Long.parseLong(line.strip().split(" +")[0]))
        .sum();
  }

  private void count(String addOrDelete) {
    for (String name : BACKENDS) {
      String[] rule = {
        "iptables", "-t", "raw", addOrDelete, "PREROUTING", "-s", RawPrograms.SynFlood.SOURCES
      };
      lab.exec(name, rule).succeeded();
    }
  }
}
