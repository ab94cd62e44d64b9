package dev.caplance.backend.drain;

import dev.caplance.backend.drain.DrainStatus.State;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One drain: counts the connections again and again, and says when there is nothing left to wait
 * for. One thread counts and ends it; any may ask for its status.
 */
final class Drain {

  private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

  /** A SYN may be under way: counting none once is not enough. */
  private static final int COUNTS_WITHOUT_FLOWS = 3;

  private static final Duration BETWEEN_LOGS = Duration.ofSeconds(5);

  private final FlowCounter counter;
  private final ServiceGap gap;
  private final LongSupplier nanoClock;
  private final CompletableFuture<Void> end = new CompletableFuture<>();

  private volatile Optional<Long> deadline = Optional.empty();
  private volatile Optional<OngoingFlows> left = Optional.empty();
  private volatile State state = State.DRAINING;
  private int countsWithout;
  private String lastFailure = "";
  private Optional<OngoingFlows> lastLogged = Optional.empty();
  private long nextLog;

  /**
   * A drain that has just begun.
   *
   * @param gap since which nothing has been heard of the connections that do not count
   * @param deadline after which flows are not waited for
   */
  Drain(FlowCounter counter, ServiceGap gap, Optional<Duration> deadline, LongSupplier nanoClock) {
    this.counter = counter;
    this.gap = gap;
    this.nanoClock = nanoClock;
    this.nextLog = nanoClock.getAsLong();
    setDeadline(deadline);
  }

  /**
   * Replaces the deadline.
   *
   * @param fromNow after which flows are not waited for; empty for as long as it takes
   */
  void setDeadline(Optional<Duration> fromNow) {
    long now = nanoClock.getAsLong();
    deadline = fromNow.map(duration -> now + duration.toNanos());
  }

  /**
   * Counts the connections.
   *
   * @return the state that follows; {@link State#DRAINING} while the drain goes on
   */
  State count() {
    try {
      OngoingFlows count = counter.count(gap.age());
      left = Optional.of(count);
      countsWithout = count.isNone() ? countsWithout + 1 : 0;
      lastFailure = "";
    } catch (IOException e) {
      left = Optional.empty();
      countsWithout = 0;
      logFailure(e.getMessage());
    }
    logProgress();
    if (countsWithout >= COUNTS_WITHOUT_FLOWS) {
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

  /** Only changes, and not too often. */
  private void logProgress() {
    long now = nanoClock.getAsLong();
    if (left.isPresent() && !left.equals(lastLogged) && now - nextLog >= 0) {
      lastLogged = left;
      nextLog = now + BETWEEN_LOGS.toNanos();
      LOG.info("draining: {}", status().text());
    }
  }

  /** Ends with this state. */
  void end(State outcome) {
    state = outcome;
    LOG.info("drain ended: {}", status().text());
    end.complete(null);
  }

  /** Ends because nobody can go on with it; the backend stays as it is. */
  void fail(Throwable cause) {
    state = State.CANCELLED;
    LOG.error("drain failed: {}", status().text(), cause);
    end.completeExceptionally(new IllegalStateException("the drain failed", cause));
  }

  /** Completed when it has ended, exceptionally if it failed. */
  CompletableFuture<Void> end() {
    return end;
  }

  DrainStatus status() {
    State now = state;
    return new DrainStatus(now, left, now == State.DRAINING ? remaining() : Optional.empty());
  }

  /** Not negative; empty when there is no deadline. */
  Optional<Duration> remaining() {
    return deadline.map(end -> Duration.ofNanos(Math.max(0, end - nanoClock.getAsLong())));
  }
}
