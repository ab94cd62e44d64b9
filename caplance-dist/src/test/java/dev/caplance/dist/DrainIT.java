package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator sees who takes out a backend that a client is still connected to. */
class DrainIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String LEFT = "b1 is draining: 1 connection left, \\S+ to the deadline\n";

  @TempDir private Path directory;

  /** What an earlier test cut off would be counted, too, until its kernel gives it up. */
  @BeforeEach
  void endWhatIsLeftOfOtherConnections() {
    Lab.up().exec("b1", "ss", "-K", "-t", "src", Lab.VIP).succeeded();
  }

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
    }
  }
}
