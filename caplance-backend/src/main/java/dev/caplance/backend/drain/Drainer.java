package dev.caplance.backend.drain;

import dev.caplance.backend.drain.DrainStatus.State;
import dev.caplance.backend.session.BackendIntent;
import dev.caplance.backend.session.CommandRefusedException;
import dev.caplance.backend.session.CommandResult;
import dev.caplance.backend.session.Drainable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drains this backend: tells the load balancers to send no new flows, counts the connections and
 * UDP flows every second, and pauses once they are gone or the deadline has passed. Any other
 * command to the backend ends the drain.
 *
 * <p>Any thread may call; while a drain is under way, a thread of its own counts.
 */
public final class Drainer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Drainer.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);

  /** With very many connections, pauses are this many times as long as counting takes. */
  private static final int PAUSE_FACTOR = 10;

  private final Drainable backend;
  private final FlowCounter counter;
  private final ServiceGap gap;
  private final Duration period;
  private final CompletableFuture<Void> hurried = new CompletableFuture<>();

  private Drain last;
  private Thread thread;

  /**
   * A drainer of this backend, whose flows this counter counts.
   *
   * @param gap learns at once that a drain has ended
   */
  public Drainer(Drainable backend, FlowCounter counter, ServiceGap gap) {
    this(backend, counter, gap, PERIOD);
  }

  Drainer(Drainable backend, FlowCounter counter, ServiceGap gap, Duration period) {
    this.backend = backend;
    this.counter = counter;
    this.gap = gap;
    this.period = period;
  }

  /**
   * Begins to drain; a drain that is under way goes on with the new deadline.
   *
   * @param deadline after which connections are not waited for; empty for as long as it takes
   * @return like that of {@link dev.caplance.backend.session.LoadBalancerSessions#resume}; once it
   *     is completed, the drain is under way. Without answers if the drain was under way before, or
   *     is over and the backend still paused, since the load balancers are told nothing new
   */
  public CompletableFuture<CommandResult> drain(Optional<Duration> deadline) {
    if (setDeadline(deadline)) {
      return CompletableFuture.completedFuture(
          new CommandResult(BackendIntent.DRAINING, List.of()));
    }
    if (hasDrained()) {
      return CompletableFuture.completedFuture(new CommandResult(BackendIntent.PAUSED, List.of()));
    }
    return begin(deadline, backend.drain());
  }

  /** Drains without a deadline, because an operator said so before the daemon was started anew. */
  public void goOn() {
    begin(new Drain(counter, gap, Optional.empty(), System::nanoTime));
  }

  /** Whether there is nothing left to drain, because that was done and nobody has resumed. */
  private synchronized boolean hasDrained() {
    return last != null
        && List.of(State.DRAINED, State.DEADLINE).contains(last.status().state())
        && backend.intent() == BackendIntent.PAUSED;
  }

  private CompletableFuture<CommandResult> begin(
      Optional<Duration> deadline, CompletableFuture<CommandResult> command) {
    Drain drain = new Drain(counter, gap, deadline, System::nanoTime);
    return command.thenApply(
        result -> {
          begin(drain);
          return result;
        });
  }

  /** Whether a drain was under way, which now has this deadline. */
  private synchronized boolean setDeadline(Optional<Duration> deadline) {
    if (last == null || last.end().isDone() || backend.intent() != BackendIntent.DRAINING) {
      return false;
    }
    last.setDeadline(deadline);
    return true;
  }

  private synchronized void begin(Drain drain) {
    close();
    last = drain;
    thread = new Thread(() -> run(drain), "drain");
    thread.setDaemon(true);
    thread.start();
  }

  private void run(Drain drain) {
    try {
      drain.end(watch(drain));
    } catch (InterruptedException e) {
      LOG.debug("the drain was interrupted");
      drain.end(State.CANCELLED);
    } catch (Throwable e) {
      // Those who wait for the end learn of it; the backend keeps draining until the next command.
      drain.fail(e);
    }
  }

  private State watch(Drain drain) throws InterruptedException {
    while (backend.intent() == BackendIntent.DRAINING) {
      long begun = System.nanoTime();
      State state = drain.count();
      if (state != State.DRAINING && pause()) {
        return state;
      }
      Duration rest = Duration.ofNanos(System.nanoTime() - begun).multipliedBy(PAUSE_FACTOR);
      Duration wait = rest.compareTo(period) > 0 ? rest : period;
      Optional<Duration> remaining = drain.remaining().filter(left -> !left.isZero());
      if (remaining.isPresent() && remaining.get().compareTo(wait) < 0) {
        wait = remaining.get();
      }
      TimeUnit.NANOSECONDS.sleep(wait.toNanos());
    }
    return State.CANCELLED;
  }

  /** Whether the backend has paused; if not, another command is under way and may end the drain. */
  private boolean pause() throws InterruptedException {
    try {
      backend.pauseDrained().get();
      gap.observe(BackendIntent.PAUSED);
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CommandRefusedException) {
        LOG.debug("cannot pause after the drain now: {}", e.getCause().getMessage());
        return false;
      }
      throw new IllegalStateException("cannot pause after the drain", e.getCause());
    }
  }

  /** The state of the last drain; empty if there has been none. */
  public synchronized Optional<DrainStatus> status() {
    return Optional.ofNullable(last).map(Drain::status);
  }

  /**
   * Waits until the drain that is under way, if any, has ended.
   *
   * @throws IllegalStateException if it failed
   */
  public void awaitEnd() throws InterruptedException {
    try {
      endOfLast().get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the drain failed", e.getCause());
    }
  }

  private synchronized CompletableFuture<Void> endOfLast() {
    return last == null ? CompletableFuture.completedFuture(null) : last.end();
  }

  /**
   * Drains before the daemon stops. Begins a drain unless one is under way or the backend is paused
   * or deregistered; returns when the drain has ended, after the limit at the latest, or on {@link
   * #hurry}.
   */
  public void drainBeforeStop(Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    CompletableFuture<?> end;
    if (backend.intent() == BackendIntent.ACTIVE) {
      end = begin(Optional.of(limit), backend.drainBeforeStop()).thenCompose(r -> endOfLast());
    } else if (backend.intent() == BackendIntent.DRAINING) {
      end = endOfLast();
    } else {
      return;
    }
    try {
      CompletableFuture.anyOf(end, hurried).get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      LOG.debug("stopping: the time limit for draining has passed");
    } catch (ExecutionException e) {
      LOG.warn("stopping without draining: {}", e.getCause().getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Makes {@link #drainBeforeStop} return at once, now and later. */
  public void hurry() {
    hurried.complete(null);
  }

  /** Cancels a drain that is under way; the backend keeps its intent. */
  @Override
  public synchronized void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
