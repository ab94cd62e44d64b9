package dev.caplance.backend.drain;

import dev.caplance.backend.drain.DrainStatus.State;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One drain: counts the connections at each look, and says when there is nothing left to wait for.
 * One thread looks and ends; any may ask.
 */
final class Drain {

  private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

  /** A SYN may be on its way, and of UDP nothing can be seen: none once is not enough. */
  private static final int LOOKS_WITHOUT_CONNECTIONS = 3;

  private static final Duration BETWEEN_LOGS = Duration.ofSeconds(5);

  private final ConnectionCounter counter;
  private final LongSupplier nanoClock;
  private final CompletableFuture<Void> end = new CompletableFuture<>();

  private volatile Optional<Long> deadline = Optional.empty();
  private volatile OptionalInt connections = OptionalInt.empty();
  private volatile State state = State.DRAINING;
  private int looksWithout;
  private String lastFailure = "";
  private OptionalInt lastLogged = OptionalInt.empty();
  private long nextLog;

  /**
   * A drain that has just begun.
   *
   * @param deadline after which connections are not waited for
   */
  Drain(ConnectionCounter counter, Optional<Duration> deadline, LongSupplier nanoClock) {
    this.counter = counter;
    this.nanoClock = nanoClock;
    this.nextLog = nanoClock.getAsLong();
    setDeadline(deadline);
  }

  /**
   * From now on this deadline holds, and no other.
   *
   * @param fromNow after which connections are not waited for; empty for as long as it takes
   */
  void setDeadline(Optional<Duration> fromNow) {
    long now = nanoClock.getAsLong();
    deadline = fromNow.map(duration -> now + duration.toNanos());
  }

  /**
   * Counts.
   *
   * @return what the drain comes to now; {@link State#DRAINING} while it goes on
   */
  State look() {
    try {
      int count = counter.count();
      connections = OptionalInt.of(count);
      looksWithout = count == 0 ? looksWithout + 1 : 0;
      lastFailure = "";
    } catch (IOException e) {
      connections = OptionalInt.empty();
      looksWithout = 0;
      logFailure(e.getMessage());
    }
    logProgress();
    if (looksWithout >= LOOKS_WITHOUT_CONNECTIONS) {
      return State.DRAINED;
    }
    return remaining().filter(Duration::isZero).isPresent() ? State.DEADLINE : State.DRAINING;
  }

  private void logFailure(String failure) {
    if (!failure.equals(lastFailure)) {
      lastFailure = failure;
      LOG.warn("draining: cannot count the connections: {}", failure);
    }
  }

  /** When there is something new to say, but not all the time. */
  private void logProgress() {
    long now = nanoClock.getAsLong();
    if (connections.isPresent() && !connections.equals(lastLogged) && now - nextLog >= 0) {
      lastLogged = connections;
      nextLog = now + BETWEEN_LOGS.toNanos();
      LOG.info("draining: {}", status().text());
    }
  }

  /** It came to this. */
  void end(State outcome) {
    state = outcome;
    LOG.info("drain ended: {}", status().text());
    end.complete(null);
  }

  /** Complete when it has ended. */
  CompletableFuture<Void> end() {
    return end;
  }

  DrainStatus status() {
    State now = state;
    return new DrainStatus(
        now, connections, now == State.DRAINING ? remaining() : Optional.empty());
  }

  /** Not negative; empty when there is no deadline. */
  Optional<Duration> remaining() {
    return deadline.map(end -> Duration.ofNanos(Math.max(0, end - nanoClock.getAsLong())));
  }
}
