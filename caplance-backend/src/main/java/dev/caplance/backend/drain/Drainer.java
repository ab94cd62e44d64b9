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
 * Drains this backend: tells the load balancers to send no new flows, looks every second whether
 * the connections are gone, and pauses when they are or when the deadline is over. Whatever else
 * the backend is told meanwhile ends the drain.
 *
 * <p>Any thread may call; the looks have a thread of their own while a drain is under way.
 */
public final class Drainer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Drainer.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);

  /** A look may use this part of the time: with very many connections the looks become rarer. */
  private static final int SHARE_OF_TIME = 10;

  private final Drainable backend;
  private final ConnectionCounter counter;
  private final Duration period;
  private final CompletableFuture<Void> hurried = new CompletableFuture<>();

  private Drain last;
  private Thread thread;

  /** A drainer of this backend, whose connections this counter counts. */
  public Drainer(Drainable backend, ConnectionCounter counter) {
    this(backend, counter, PERIOD);
  }

  Drainer(Drainable backend, ConnectionCounter counter, Duration period) {
    this.backend = backend;
    this.counter = counter;
    this.period = period;
  }

  /**
   * Begins to drain; a drain that is under way goes on with the new deadline.
   *
   * @param deadline after which connections are not waited for; empty for as long as it takes
   * @return like that of {@link dev.caplance.backend.session.LoadBalancerSessions#resume}; the
   *     drain is under way when it is complete. Without answers when it was under way before:
   *     nothing is new to the load balancers
   */
  public CompletableFuture<CommandResult> drain(Optional<Duration> deadline) {
    if (setDeadline(deadline)) {
      return CompletableFuture.completedFuture(
          new CommandResult(BackendIntent.DRAINING, List.of()));
    }
    Drain drain = new Drain(counter, deadline, System::nanoTime);
    return backend
        .drain()
        .thenApply(
            result -> {
              begin(drain);
              return result;
            });
  }

  /** Whether there was a drain under way, which has this deadline now. */
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
    State outcome = State.CANCELLED;
    try {
      outcome = watch(drain);
    } catch (InterruptedException e) {
      LOG.debug("the drain was broken off");
    } finally {
      drain.end(outcome);
    }
  }

  private State watch(Drain drain) throws InterruptedException {
    while (backend.intent() == BackendIntent.DRAINING) {
      long begun = System.nanoTime();
      State state = drain.look();
      if (state != State.DRAINING && pause()) {
        return state;
      }
      Duration rest = Duration.ofNanos(System.nanoTime() - begun).multipliedBy(SHARE_OF_TIME);
      Duration wait = rest.compareTo(period) > 0 ? rest : period;
      Optional<Duration> remaining = drain.remaining().filter(left -> !left.isZero());
      if (remaining.isPresent() && remaining.get().compareTo(wait) < 0) {
        wait = remaining.get();
      }
      TimeUnit.NANOSECONDS.sleep(wait.toNanos());
    }
    return State.CANCELLED;
  }

  /** Whether the backend has paused; if not, another command is under way and may change things. */
  private boolean pause() throws InterruptedException {
    try {
      backend.pauseDrained().get();
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CommandRefusedException) {
        LOG.debug("cannot pause after the drain now: {}", e.getCause().getMessage());
        return false;
      }
      throw new IllegalStateException("cannot pause after the drain", e.getCause());
    }
  }

  /** How the last drain stands; empty when there was none. */
  public synchronized Optional<DrainStatus> status() {
    return Optional.ofNullable(last).map(Drain::status);
  }

  /** Waits until the drain that is under way, if any, has ended. */
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
   * Drains before the daemon stops: begins unless a drain is under way or the backend has no flows
   * anyhow, and returns when it has ended, after the limit at the latest, or because of {@link
   * #hurry}.
   */
  public void drainBeforeStop(Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    CompletableFuture<?> end;
    if (backend.intent() == BackendIntent.ACTIVE) {
      end = drain(Optional.of(limit)).thenCompose(result -> endOfLast());
    } else if (backend.intent() == BackendIntent.DRAINING) {
      end = endOfLast();
    } else {
      return;
    }
    try {
      CompletableFuture.anyOf(end, hurried).get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      LOG.debug("stopping: the time for draining is over");
    } catch (ExecutionException e) {
      LOG.warn("stopping without draining: {}", e.getCause().getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends {@link #drainBeforeStop} at once, now and later. */
  public void hurry() {
    hurried.complete(null);
  }

  /** Ends a drain that is under way; the backend stays what it is. */
  @Override
  public synchronized void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
