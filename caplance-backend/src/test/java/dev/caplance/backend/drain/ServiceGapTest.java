package dev.caplance.backend.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.session.BackendIntent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServiceGapTest {

  private static final Duration NEVER = ChronoUnit.FOREVER.getDuration();

  @TempDir private Path directory;

  private long now = 1_000;

  private ServiceGap remembered() {
    return ServiceGap.remembered(directory.resolve("gap"), () -> now);
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  @Test
  void isThereWhilePausedOrDeregistered() {
    ServiceGap gap = ServiceGap.none(() -> now);
    gap.observe(BackendIntent.ACTIVE);
    gap.observe(BackendIntent.DRAINING);
    assertThat(gap.age()).isEqualTo(NEVER);
    gap.observe(BackendIntent.PAUSED);
    pass(Duration.ofMinutes(5));
    gap.observe(BackendIntent.ACTIVE);
    assertThat(gap.age()).isEqualTo(Duration.ofMinutes(5));
    gap.observe(BackendIntent.DEREGISTERED);
    assertThat(gap.age()).isZero();
  }

  @Test
  void aStopIsOneThatTheNextDaemonKnows() {
    ServiceGap first = remembered();
    assertThat(first.age()).isEqualTo(NEVER);
    first.stopped();
    pass(Duration.ofSeconds(3));
    assertThat(remembered().age()).isEqualTo(Duration.ofSeconds(3));
  }

  /** Its clock began anew with the machine, and so did all connections. */
  @Test
  void aStopBeforeTheMachineWasStartedIsNone() {
    pass(Duration.ofHours(1));
    remembered().stopped();
    now = 5;
    assertThat(remembered().age()).isEqualTo(NEVER);
  }

  @Test
  void aDamagedFileIsNone() throws IOException {
    Files.writeString(directory.resolve("gap"), "soon");
    assertThat(remembered().age()).isEqualTo(NEVER);
  }
}
