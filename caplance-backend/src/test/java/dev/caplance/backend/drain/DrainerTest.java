package dev.caplance.backend.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caplance.backend.drain.DrainStatus.State;
import dev.caplance.backend.session.BackendIntent;
import dev.caplance.backend.session.CommandRefusedException;
import dev.caplance.backend.session.CommandResult;
import dev.caplance.backend.session.Drainable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whole drains of a backend that does what it is told, which counts in quick succession. */
class DrainerTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration LONG = Duration.ofHours(1);

  private final Backend backend = new Backend();
  private volatile int connections = 7;
  private final Drainer drainer =
      new Drainer(
          backend,
          heardWithin -> new OngoingFlows(count(), 0),
          ServiceGap.none(System::nanoTime),
          Duration.ofMillis(1));

  /** Is what it was told last; refuses as the sessions do. */
  private static final class Backend implements Drainable {

    private BackendIntent intent = BackendIntent.ACTIVE;
    private int refusals;

    @Override
    public synchronized BackendIntent intent() {
      return intent;
    }

    synchronized void become(BackendIntent next) {
      intent = next;
    }

    synchronized void refuseToPause(int times) {
      refusals = times;
    }

    @Override
    public CompletableFuture<CommandResult> drain() {
      return command(BackendIntent.ACTIVE, BackendIntent.DRAINING);
    }

    @Override
    public CompletableFuture<CommandResult> drainBeforeStop() {
      return drain();
    }

    @Override
    public CompletableFuture<CommandResult> pauseDrained() {
      return command(BackendIntent.DRAINING, BackendIntent.PAUSED);
    }

    private synchronized CompletableFuture<CommandResult> command(
        BackendIntent from, BackendIntent to) {
      if (intent != from || (to == BackendIntent.PAUSED && refusals-- > 0)) {
        return CompletableFuture.failedFuture(new CommandRefusedException("is " + intent));
      }
      intent = to;
      return CompletableFuture.completedFuture(new CommandResult(to, List.of()));
    }
  }

  private int count() {
    if (connections < 0) {
      throw new IllegalStateException("a bug");
    }
    return connections;
  }

  @AfterEach
  void close() {
    drainer.close();
  }

  private void drain(Optional<Duration> deadline) {
    assertThat(drainer.drain(deadline)).succeedsWithin(PATIENCE);
  }

  private State state() {
    return drainer.status().orElseThrow().state();
  }

  private void awaitState(State state) {
    await().atMost(PATIENCE).until(() -> state() == state);
  }

  @Test
  void pausesWhenTheConnectionsAreGone() throws Exception {
    assertThat(drainer.status()).isEmpty();
    assertThat(drainer.drain(Optional.empty()).get().intent()).isEqualTo(BackendIntent.DRAINING);
    await()
        .atMost(PATIENCE)
        .until(() -> drainer.status().orElseThrow().text().equals("7 connections left"));
    assertThat(backend.intent()).isEqualTo(BackendIntent.DRAINING);

    connections = 0;
    drainer.awaitEnd();
    assertThat(state()).isEqualTo(State.DRAINED);
    assertThat(backend.intent()).isEqualTo(BackendIntent.PAUSED);
  }

  @Test
  void pausesWhenTheDeadlineIsOver() throws Exception {
    drain(Optional.of(Duration.ofMillis(50)));
    drainer.awaitEnd();
    assertThat(drainer.status().orElseThrow().text())
        .isEqualTo("the deadline has passed, 7 connections left");
    assertThat(backend.intent()).isEqualTo(BackendIntent.PAUSED);
  }

  @Test
  void aSecondDrainChangesTheDeadlineOfTheFirst() throws Exception {
    drain(Optional.of(LONG));
    assertThat(drainer.drain(Optional.empty()).get().answers()).isEmpty();
    assertThat(drainer.status().orElseThrow().remaining()).isEmpty();
    drain(Optional.of(Duration.ofMillis(50)));
    drainer.awaitEnd();
    assertThat(state()).isEqualTo(State.DEADLINE);
    assertThat(backend.intent()).isEqualTo(BackendIntent.PAUSED);
  }

  @Test
  void goesOnWithADrainFromBeforeTheStart() throws Exception {
    backend.become(BackendIntent.DRAINING);
    drainer.goOn();
    connections = 0;
    drainer.awaitEnd();
    assertThat(state()).isEqualTo(State.DRAINED);
    assertThat(backend.intent()).isEqualTo(BackendIntent.PAUSED);
  }

  @Test
  void aSecondDrainAfterTheFirstHasNothingLeftToDo() throws Exception {
    connections = 0;
    drain(Optional.empty());
    drainer.awaitEnd();
    CommandResult again = drainer.drain(Optional.empty()).get();
    assertThat(again.intent()).isEqualTo(BackendIntent.PAUSED);
    assertThat(state()).isEqualTo(State.DRAINED);
  }

  @Test
  void triesAgainWhenAnotherCommandIsUnderWay() throws Exception {
    backend.refuseToPause(2);
    connections = 0;
    drain(Optional.empty());
    drainer.awaitEnd();
    assertThat(state()).isEqualTo(State.DRAINED);
    assertThat(backend.intent()).isEqualTo(BackendIntent.PAUSED);
  }

  @Test
  void whoeverResumesTheBackendHasTheLastWord() {
    drain(Optional.empty());
    backend.become(BackendIntent.ACTIVE);
    awaitState(State.CANCELLED);
    assertThat(backend.intent()).isEqualTo(BackendIntent.ACTIVE);
  }

  @Test
  void canBeginAgain() throws Exception {
    drain(Optional.empty());
    backend.become(BackendIntent.ACTIVE);
    drain(Optional.of(LONG));
    assertThat(drainer.status().orElseThrow().remaining()).isPresent();
    assertThat(state()).isEqualTo(State.DRAINING);
    connections = 0;
    drainer.awaitEnd();
    assertThat(state()).isEqualTo(State.DRAINED);
  }

  @Test
  void whatIsRefusedChangesNothing() {
    backend.become(BackendIntent.PAUSED);
    CompletableFuture<CommandResult> result = drainer.drain(Optional.empty());
    assertThatThrownBy(() -> result.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
        .hasRootCauseInstanceOf(CommandRefusedException.class);
    assertThat(drainer.status()).isEmpty();
  }

  @Test
  void drainsBeforeTheDaemonStops() {
    CompletableFuture<Void> stop = CompletableFuture.runAsync(() -> drainer.drainBeforeStop(LONG));
    await().atMost(PATIENCE).until(() -> backend.intent() == BackendIntent.DRAINING);
    assertThat(stop).isNotDone();
    connections = 0;
    assertThat(stop).succeedsWithin(PATIENCE);
    assertThat(backend.intent()).isEqualTo(BackendIntent.PAUSED);
  }

  @Test
  void stopsAtTheLimitThoughADrainOfAnOperatorGoesOn() {
    drain(Optional.empty());
    drainer.drainBeforeStop(Duration.ofMillis(50));
    assertThat(state()).isEqualTo(State.DRAINING);
  }

  @Test
  void doesNotWaitWhenItIsToldToStopOnceMore() {
    CompletableFuture<Void> stop = CompletableFuture.runAsync(() -> drainer.drainBeforeStop(LONG));
    await().atMost(PATIENCE).until(() -> drainer.status().isPresent());
    drainer.hurry();
    assertThat(stop).succeedsWithin(PATIENCE);
    assertThat(state()).isEqualTo(State.DRAINING);
    drainer.drainBeforeStop(LONG);
  }

  @Test
  void aPausedBackendStopsAtOnce() {
    backend.become(BackendIntent.PAUSED);
    drainer.drainBeforeStop(LONG);
    assertThat(drainer.status()).isEmpty();
  }

  // --- A thread that ends by an exception ---

  @Test
  void whoWaitsForTheEndLearnsThatItFailed() {
    connections = -1;
    drain(Optional.empty());
    assertThatThrownBy(drainer::awaitEnd)
        .isInstanceOf(IllegalStateException.class)
        .hasRootCauseMessage("a bug");
    assertThat(state()).isEqualTo(State.CANCELLED);
    assertThat(backend.intent())
        .as("new flows still go elsewhere")
        .isEqualTo(BackendIntent.DRAINING);
  }

  @Test
  void aFailedDrainDoesNotKeepTheDaemonFromStopping() {
    connections = -1;
    drainer.drainBeforeStop(LONG);
    assertThat(state()).isEqualTo(State.CANCELLED);
  }

  @Test
  void canBeginAgainAfterAFailure() throws Exception {
    connections = -1;
    drain(Optional.empty());
    awaitState(State.CANCELLED);
    backend.become(BackendIntent.ACTIVE);
    connections = 0;
    drain(Optional.empty());
    drainer.awaitEnd();
    assertThat(state()).isEqualTo(State.DRAINED);
  }
}
