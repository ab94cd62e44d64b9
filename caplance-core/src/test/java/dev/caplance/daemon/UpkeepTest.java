package dev.caplance.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.CapturedLog;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UpkeepTest {

  private static final Duration PERIOD = Duration.ofMillis(1);

  private final CapturedLog log = new CapturedLog(Upkeep.class);
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final CompletableFuture<Throwable> end = new CompletableFuture<>();
  private final Semaphore rounds = new Semaphore(0);
  private Upkeep upkeep;
  private final Upkeep.Task last = new Upkeep.Task("count rounds", rounds::release);

  @AfterEach
  void close() {
    upkeep.close();
    log.close();
  }

  private void start(Upkeep.Task... tasks) {
    upkeep = new Upkeep(List.of(tasks), end::complete, PERIOD);
    upkeep.start();
  }

  /** Two, since the first may have begun before the caller changed something. */
  private void awaitRounds() throws InterruptedException {
    rounds.drainPermits();
    assertThat(rounds.tryAcquire(2, 30, TimeUnit.SECONDS)).isTrue();
  }

  private void throwFailure() throws IOException {
    Throwable current = failure.get();
    if (current instanceof Error error) {
      throw error;
    } else if (current instanceof RuntimeException exception) {
      throw exception;
    } else if (current instanceof IOException exception) {
      throw exception;
    }
  }

  @Test
  void aWakeUpRunsTheTasksLongBeforeTheirTime() throws Exception {
    upkeep = new Upkeep(List.of(last), end::complete, Duration.ofDays(1));
    upkeep.start();
    upkeep.wake();
    assertThat(rounds.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
    upkeep.wake();
    assertThat(rounds.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aTaskThatFailsIsReportedOnceForEachReasonAndWhenItRecovers() throws Exception {
    IOException several = new IOException("eth0 is gone");
    several.addSuppressed(new IOException("eth1 is gone"));
    start(new Upkeep.Task("do it", this::throwFailure), last);
    for (Throwable next :
        new Throwable[] {
          new IOException("not now"),
          several,
          new IllegalStateException("a mistake"),
          new StackOverflowError("a worse one"),
          null
        }) {
      failure.set(next);
      awaitRounds();
    }
    assertThat(log.lines())
        .containsExactly(
            "ERROR cannot do it: not now",
            "ERROR cannot do it: eth0 is gone; eth1 is gone",
            "ERROR cannot do it: java.lang.IllegalStateException: a mistake",
            "ERROR cannot do it: java.lang.StackOverflowError: a worse one",
            "INFO can do it now");
    assertThat(end).isNotDone();
  }

  @Test
  void tasksRunInTheirOrderWhateverFails() throws Exception {
    AtomicInteger turns = new AtomicInteger();
    Upkeep.Task failing =
        new Upkeep.Task(
            "do it",
            () -> {
              turns.incrementAndGet();
              throw new IOException("never");
            });
    start(failing, last);
    awaitRounds();
    assertThat(turns).hasValueGreaterThanOrEqualTo(2);
  }

  @Test
  void theOwnerIsToldWhenTheThreadEndsUnasked() throws Exception {
    start(new Upkeep.Task("interrupt", () -> Thread.currentThread().interrupt()));
    assertThat(end.get(30, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
  }

  @Test
  void noTaskRunsAfterClose() throws Exception {
    start(last);
    awaitRounds();
    upkeep.close();
    rounds.drainPermits();
    assertThat(rounds.tryAcquire(20, TimeUnit.MILLISECONDS)).isFalse();
    assertThat(end).isNotDone();
  }
}
