package dev.caplance.daemon;

import dev.caplance.host.Failures;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the machine as the daemon needs it: runs its tasks every two seconds, and when {@link
 * #wake} is called, one after another, on a thread of its own. A task that fails does not keep the
 * others from running; its failure is logged once for each reason, and its recovery too.
 */
public final class Upkeep implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  /** A machine that changes all the time does not keep the thread busy all the time. */
  private static final int REST_MILLIS = 50;

  private final List<Task> tasks;
  private final Consumer<Throwable> onFailure;
  private final Duration period;
  private final Map<Task, String> failing = new LinkedHashMap<>();
  private volatile List<String> troubles = List.of();
  private volatile Runnable onTroubles = () -> {};
  private final Semaphore wakeUps = new Semaphore(0);
  private volatile boolean closing;
  private final Thread thread = new Thread(this::run, "upkeep");

  /**
   * One thing to take care of.
   *
   * @param name what the task does, completing "cannot …" and "can … now"
   */
  public record Task(String name, Look look) {}

  /** Checks whether something is as it should be, and restores it if not. */
  @FunctionalInterface
  public interface Look {
    void look() throws IOException;
  }

  /**
   * Upkeep that {@link #start} begins.
   *
   * @param onFailure called by the thread when it ends without {@link #close}; no failure of a task
   *     leads to that
   */
  public Upkeep(List<Task> tasks, Consumer<Throwable> onFailure) {
    this(tasks, onFailure, PERIOD);
  }

  Upkeep(List<Task> tasks, Consumer<Throwable> onFailure, Duration period) {
    this.tasks = List.copyOf(tasks);
    this.onFailure = onFailure;
    this.period = period;
  }

  public void start() {
    thread.start();
  }

  /**
   * Runs the tasks once on the caller's thread, before {@link #start}.
   *
   * @param listener called whenever {@link #troubles} changes from then on
   */
  public void lookFirst(Runnable listener) {
    tasks.forEach(this::run);
    onTroubles = listener;
  }

  /** What cannot be done at the moment and why, a sentence for each task. Any thread may call. */
  public List<String> troubles() {
    return troubles;
  }

  private void run() {
    try {
      while (!closing) {
        wakeUps.tryAcquire(period.toMillis(), TimeUnit.MILLISECONDS);
        wakeUps.drainPermits();
        if (!closing) {
          tasks.forEach(this::run);
          TimeUnit.MILLISECONDS.sleep(REST_MILLIS);
        }
      }
    } catch (InterruptedException | RuntimeException | Error e) {
      onFailure.accept(e);
    }
  }

  private void run(Task task) {
    try {
      task.look().look();
      if (failing.remove(task) != null) {
        LOG.info("can {} now", task.name());
        tell();
      }
    } catch (IOException | RuntimeException | Error e) {
      report(task, e);
    }
  }

  private void report(Task task, Throwable failure) {
    String reason = Failures.describe(failure);
    if (!reason.equals(failing.put(task, reason))) {
      LOG.error("cannot {}: {}", task.name(), reason);
      LOG.debug("cannot {}", task.name(), failure);
      tell();
    }
  }

  private void tell() {
    troubles =
        failing.entrySet().stream()
            .map(entry -> "cannot " + entry.getKey().name() + ": " + entry.getValue())
            .toList();
    onTroubles.run();
  }

  /** Has the tasks run now, because something may have changed. Any thread may call. */
  public void wake() {
    wakeUps.release();
  }

  /** Returns when no task is running and none will. */
  @Override
  public void close() {
    closing = true;
    wake();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
