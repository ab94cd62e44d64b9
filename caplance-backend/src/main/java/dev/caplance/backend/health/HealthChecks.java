package dev.caplance.backend.health;

import dev.caplance.backend.health.CheckStatus.State;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Checks the application over and over, each check on a thread of its own, so that one that hangs
 * holds up no other. The application is fit when all of them say so; before each has looked once it
 * is not.
 *
 * <p>Any thread may call.
 */
public final class HealthChecks implements AutoCloseable {

  private static final int FIT = 200;
  private static final int UNFIT = 503;

  private final Listener listener;
  private final List<Check> checks = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private int toldCode;
  private String toldReason;

  /** Hears what the application's health is. */
  @FunctionalInterface
  public interface Listener {

    /**
     * The health is another one. Called by a check's thread, to return at once.
     *
     * @param code 200 for fit, 503 for unfit
     * @param reason why it is unfit; empty when it is fit
     */
    void health(int code, String reason);
  }

  /**
   * Checks that {@link #start} begins.
   *
   * @param all the application is fit when there are none
   */
  public HealthChecks(List<CheckSettings> all, Listener listener) {
    this(all, listener, Probe::of, InstantSource.system());
  }

  HealthChecks(
      List<CheckSettings> all, Listener listener, ProbeFactory probes, InstantSource clock) {
    this.listener = listener;
    for (CheckSettings settings : all) {
      Check check = new Check(settings.target(), settings.rise(), settings.fall(), clock);
      Probe probe = probes.create(settings.target(), settings.timeout());
      checks.add(check);
      Thread thread = new Thread(() -> run(check, probe, settings), "check-" + checks.size());
      thread.setDaemon(true);
      threads.add(thread);
    }
  }

  /** Makes the probe for a target. */
  interface ProbeFactory {
    Probe create(CheckTarget target, Duration timeout);
  }

  /** Begins to look; the listener is told at once what holds before the first look has ended. */
  public void start() {
    tell();
    threads.forEach(Thread::start);
  }

  /** How it stands with each check, in the order of the configuration. */
  public synchronized List<CheckStatus> status() {
    return checks.stream().map(Check::status).toList();
  }

  private void run(Check check, Probe probe, CheckSettings settings) {
    try {
      while (true) {
        long begun = System.nanoTime();
        Optional<String> error = probe.look();
        looked(check, error);
        long rest = settings.interval().toNanos() - (System.nanoTime() - begun);
        TimeUnit.NANOSECONDS.sleep(rest);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void looked(Check check, Optional<String> error) {
    check.looked(error);
    tell();
  }

  /** Tells what has not been told yet; in the order of the looks, since it holds the lock. */
  private synchronized void tell() {
    Optional<String> problem = problem();
    int code = problem.isEmpty() ? FIT : UNFIT;
    String reason = problem.orElse("");
    if (code != toldCode || !reason.equals(toldReason)) {
      toldCode = code;
      toldReason = reason;
      listener.health(code, reason);
    }
  }

  private Optional<String> problem() {
    List<CheckStatus> all = status();
    Optional<CheckStatus> unfit =
        all.stream().filter(check -> check.state() == State.UNFIT).findFirst();
    if (unfit.isPresent()) {
      return unfit.get().lastError();
    }
    return all.stream().anyMatch(check -> check.state() == State.UNKNOWN)
        ? Optional.of("not checked yet")
        : Optional.empty();
  }

  /** Ends the checks; those that are under way are broken off. */
  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
