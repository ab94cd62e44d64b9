package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator sees who takes out a backend that a client is still connected to. */
class DrainIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String LEFT = "b1 is draining: 1 connection left, \\S+ to the deadline\n";

  @TempDir private Path directory;

  @Test
  void theBackendPausesWhenTheLastConnectionIsClosed() throws Exception {
    try (Cluster cluster = new Cluster("b1", "b2");
        Conversations conversations = new Conversations(cluster.lab(), "b1", "b2")) {
      conversations.openWith("b1");
      Path output = directory.resolve("output");
      Process drain = startDrain(output);
      try {
        await("progress")
            .atMost(PATIENCE)
            .untilAsserted(() -> assertThat(output).content().containsPattern(LEFT));
        conversations.awaitProgress();
        assertThat(conversations.broken()).isEmpty();
        assertThat(cluster.request(50)).containsOnlyKeys("b2");
        assertThat(drain.isAlive()).as("the command waits").isTrue();
        conversations.closeWith("b1");
        assertThat(drain.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(drain.exitValue()).isZero();
        assertThat(output).content().endsWith("b1 is paused: all connections are gone\n");
        assertThat(cluster.ctl("b1", "status").succeeded().out()).containsPattern("b1 +paused");
      } finally {
        drain.destroy();
      }
    }
  }

  private static Process startDrain(Path output) throws IOException {
    String[] command = {Lab.script("caplancectl"), "drain", "--deadline", "1h", "--wait"};
    return new ProcessBuilder(Lab.on("b1", command))
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  @Test
  void theBackendPausesAtTheDeadlineAlthoughAConnectionIsOpen() {
    try (Cluster cluster = new Cluster("b1", "b2");
        Conversations conversations = new Conversations(cluster.lab(), "b1", "b2")) {
      conversations.openWith("b1");
      Lab.Result drain = cluster.ctl("b1", "drain", "--deadline", "5s", "--wait").succeeded();
      assertThat(drain.out())
          .containsPattern(LEFT)
          .endsWith("b1 is paused: the deadline has passed, 1 connection left\n");
      assertThat(cluster.ctl("b1", "status").succeeded().out()).containsPattern("b1 +paused");
      await("end of the connection that was left")
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(conversations.broken()).hasSize(1));

      // The server's end stays open, but it is not waited for again.
      assertThat(cluster.lab().exec("b1", "ss", "-Htn", "src", Lab.VIP).succeeded().out())
          .contains("ESTAB");
      cluster.ctl("b1", "resume").succeeded();
      assertThat(cluster.ctl("b1", "drain", "--wait").succeeded().out())
          .endsWith("b1 is paused: all connections are gone\n");
    }
  }

  @Test
  void theBackendWaitsForUdpFlows() throws Exception {
    try (Cluster cluster = new Cluster("b1")) {
      Process server = cluster.lab().start("b1", LabPrograms.Echo.class, "b1", Lab.VIP, "7777");
      try {
        String[] ask = Lab.java(LabPrograms.Ask.class, Lab.VIP, "7777", "3", "20");
        cluster.lab().exec("client", ask).succeeded();
        assertThat(cluster.ctl("b1", "drain", "--deadline", "2s", "--wait").succeeded().out())
            .contains("b1 is draining: 3 UDP flows left, ")
            .endsWith("b1 is paused: the deadline has passed, 3 UDP flows left\n");
      } finally {
        server.destroy();
      }
    }
  }
}
