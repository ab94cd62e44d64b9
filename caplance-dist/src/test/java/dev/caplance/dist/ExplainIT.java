package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.dist.Conversations.Conversation;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What {@code caplancectl lb explain} says of a flow is what happens to it. */
class ExplainIT {

  private static final String[] NAMES = {"b1", "b2"};
  private static final int NEW_FLOWS = 3;

  @Test
  void namesTheBackendThatServesAFlowAndTheReason() {
    try (Cluster cluster = new Cluster(NAMES);
        Conversations conversations = new Conversations(cluster.lab(), NAMES)) {
      List<Conversation> open = Arrays.stream(NAMES).map(conversations::openWith).toList();
      for (Conversation flow : open) {
        assertThat(explain(cluster, flow.port(), 7000))
            .containsPattern(backend(flow.backend()))
            .contains("flow table: the flow is known and stays; a new one would go there as well");
      }
      assertThat(explainedAndServed(cluster, 20_000)).contains(NAMES);

      cluster.ctl("b1", "drain").succeeded();
      assertThat(explain(cluster, open.get(0).port(), 7000))
          .containsPattern(backend("b1"))
          .containsPattern("drain: b1 is draining and keeps .*; a new one would go to b2");
      assertThat(explain(cluster, open.get(1).port(), 7000))
          .containsPattern(backend("b2"))
          .contains("flow table: the flow is known and stays");
      conversations.awaitProgress();
      assertThat(conversations.broken()).isEmpty();
      assertThat(explainedAndServed(cluster, 20_100)).containsOnly("b2");
    }
  }

  /** Explains flows that do not exist yet, makes them, and gives the backends that served them. */
  private static List<String> explainedAndServed(Cluster cluster, int firstPort) {
    int[] ports = IntStream.range(firstPort, firstPort + NEW_FLOWS).toArray();
    List<String> explained =
        Arrays.stream(ports).mapToObj(port -> explain(cluster, port, 80)).toList();
    List<String> served = Arrays.stream(ports).mapToObj(port -> request(cluster, port)).toList();
    for (int i = 0; i < NEW_FLOWS; i++) {
      assertThat(explained.get(i))
          .containsPattern(backend(served.get(i)))
          .contains("table: a new flow goes to the backend of its slot");
    }
    return served;
  }

  private static String explain(Cluster cluster, int from, int to) {
    String flow = "tcp 10.77.0.10:" + from + " -> " + Lab.VIP + ":" + to;
    return cluster.ctl("lb1", "lb", "explain", flow).succeeded().out();
  }

  private static String backend(String name) {
    return "(?m)^backend +" + name + " ";
  }

  private static String request(Cluster cluster, int port) {
    String[] curl = {
      "curl", "-sS", "--noproxy", "*", "--max-time", "20", "--local-port", "" + port, Lab.VIP
    };
    return cluster.lab().exec("client", curl).succeeded().out().strip();
  }
}
