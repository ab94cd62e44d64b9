package dev.caplance.backend.health;

import dev.caplance.backend.health.HealthChecks.Status.State;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the application again and again. Each check has a thread of its own, so one that hangs
 * delays no other. The application is healthy when every check says so; until each check has been
 * attempted once, it is unhealthy.
 *
 * <p>Any thread may call.
 */
public final class HealthChecks implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(HealthChecks.class);

  private static final int HEALTHY = 200;
  private static final int UNHEALTHY = 503;
  private static final String NO_CHECKS = "no checks";

  private final Listener listener;
  private final Consumer<Throwable> onFailure;
  private final Checker.Factory checkers;
  private final InstantSource clock;

  // Guarded by this.
  private List<Running> running = List.of();
  private int threadsMade;
  private int toldCode;
  private String toldReason;

  /** Is told the application's health. */
  @FunctionalInterface
  public interface Listener {

    /**
     * The health or its reason has changed. Called by a check's thread; must return at once.
     *
     * @param code 200 for healthy, 503 for unhealthy
     * @param reason why it is unhealthy; if it is healthy, empty, or that there are no checks
     */
    void health(int code, String reason);
  }

  private record Running(HealthCheck check, Thread thread) {}

  /**
   * No checks yet: nothing is told before the first {@link #apply}.
   *
   * @param onFailure called when the thread of a check has ended although nobody stopped it
   */
  public HealthChecks(Listener listener, Consumer<Throwable> onFailure) {
    this(listener, onFailure, Checker::of, InstantSource.system());
  }

  HealthChecks(
      Listener listener,
      Consumer<Throwable> onFailure,
      Checker.Factory checkers,
      InstantSource clock) {
    this.listener = listener;
    this.onFailure = onFailure;
    this.checkers = checkers;
    this.clock = clock;
  }

  /**
   * Runs these checks and no others, in this order. A check whose settings are unchanged goes on
   * and keeps its state; any other one starts as unknown. The listener is told the health that
   * results before this returns.
   *
   * @param wanted without any, the application is healthy
   */
  public synchronized void apply(List<Settings> wanted) {
    List<Running> unwanted = new ArrayList<>(running);
    List<Running> next = new ArrayList<>();
    List<Thread> started = new ArrayList<>();
    for (Settings settings : wanted) {
      Optional<Running> kept =
          unwanted.stream().filter(one -> one.check().settings().equals(settings)).findFirst();
      Running one = kept.orElseGet(() -> create(settings));
      next.add(one);
      if (!unwanted.remove(one)) {
        started.add(one.thread());
      }
    }
    running = List.copyOf(next);
    unwanted.forEach(one -> one.thread().interrupt());
    tell();
    started.forEach(Thread::start);
  }

  private Running create(Settings settings) {
    HealthCheck check = new HealthCheck(settings, clock);
    Checker checker = checkers.create(settings.target(), settings.timeout());
    Thread thread = new Thread(() -> run(check, checker), "check-" + ++threadsMade);
    thread.setDaemon(true);
    return new Running(check, thread);
  }

  /** The state of each check, in the order in which they were applied. */
  public synchronized List<Status> status() {
    return running.stream().map(one -> one.check().status()).toList();
  }

  private void run(HealthCheck check, Checker checker) {
    try {
      while (true) {
        long begun = System.nanoTime();
        Optional<String> error = attempt(check, checker);
        attempted(check, error);
        long rest = check.settings().interval().toNanos() - (System.nanoTime() - begun);
        TimeUnit.NANOSECONDS.sleep(rest);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) {
      onFailure.accept(e);
    }
  }

  /** An attempt that could not be made has failed: nothing shows that the application works. */
  private static Optional<String> attempt(HealthCheck check, Checker checker)
      throws InterruptedException {
    try {
      return checker.attempt();
    } catch (RuntimeException e) {
      CheckTarget target = check.settings().target();
      LOG.debug("check {} {}: unexpected failure", target.type(), target.name(), e);
      return Optional.of(target.type() + " " + target.name() + ": unexpected failure: " + e);
    }
  }

  private synchronized void attempted(HealthCheck check, Optional<String> error) {
    // A check that was removed meanwhile no longer counts, and must not log either.
    if (running.stream().anyMatch(one -> one.check() == check)) {
      check.attempted(error);
      tell();
    }
  }

  /** Under the lock, so the listener is told changes in the order in which they happened. */
  private synchronized void tell() {
    Optional<String> problem = problem();
    int code = problem.isEmpty() ? HEALTHY : UNHEALTHY;
    String reason = problem.orElse(running.isEmpty() ? NO_CHECKS : "");
    if (code != toldCode || !reason.equals(toldReason)) {
      toldCode = code;
      toldReason = reason;
      listener.health(code, reason);
    }
  }

  private Optional<String> problem() {
    List<Status> all = status();
    Optional<Status> unhealthy =
        all.stream().filter(check -> check.state() == State.UNHEALTHY).findFirst();
    if (unhealthy.isPresent()) {
      return unhealthy.get().lastError();
    }
    return all.stream().anyMatch(check -> check.state() == State.UNKNOWN)
        ? Optional.of("not checked yet")
        : Optional.empty();
  }

  /** Ends the checks, attempts under way included. */
  @Override
  public void close() {
    for (Thread thread : interruptAll()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private synchronized List<Thread> interruptAll() {
    List<Thread> threads = running.stream().map(Running::thread).toList();
    threads.forEach(Thread::interrupt);
    return threads;
  }

  /**
   * The state of one check at one moment.
   *
   * @param since when the state began
   * @param lastError why the last attempt failed, or the last failed one while the application is
   *     unhealthy; empty while the last attempt of a healthy application succeeded
   */
  public record Status(CheckTarget target, State state, Instant since, Optional<String> lastError) {

    /** What a check says about the application. */
    public enum State {
      /** No attempt has ended yet. */
      UNKNOWN,
      HEALTHY,
      UNHEALTHY
    }
  }

  /**
   * What one check checks, and how often.
   *
   * @param interval from the start of one attempt to the start of the next
   * @param timeout of one attempt, at most the interval
   * @param rise how many successes in a row make an unhealthy application healthy, at least 1
   * @param fall how many failures in a row make a healthy application unhealthy, at least 1
   */
  public record Settings(
      CheckTarget target, Duration interval, Duration timeout, int rise, int fall) {

    /**
     * @throws IllegalArgumentException if a value is out of range
     */
    public Settings {
      if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(interval) > 0) {
        throw new IllegalArgumentException("a timeout of " + timeout + ", every " + interval);
      }
      if (rise < 1 || fall < 1) {
        throw new IllegalArgumentException("rise " + rise + " or fall " + fall + " is less than 1");
      }
    }
  }
}
