package dev.caplance.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that waits for channels, timers and tasks, and owns without locks whatever they touch.
 * A turn of the loop serves the channels that are ready, then the timers that are due, then the
 * tasks that were queued up to then; so a task queued while channels are served runs once after all
 * of them.
 *
 * <p>What one channel's handler, timer or task throws is logged and ends that channel, timer or
 * task only. {@link #execute} may be called from any thread, {@link #close} too; all else belongs
 * to the loop's thread, or to any one thread before {@link #start}. Instead of being started a loop
 * can be driven turn by turn with {@link #turn}, which with a clock of one's own makes everything
 * on it repeatable.
 */
public final class EventLoop implements Executor, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

  private final String name;
  private final LongSupplier nanoClock;
  private final Selector selector;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final TreeSet<Timer> timers = new TreeSet<>();
  private long timersMade;
  private volatile Thread thread;
  private volatile boolean stopping;
  private volatile boolean stopped;

  /** Serves one channel. */
  public interface ChannelHandler {

    /** The channel is ready for something that the key is interested in. */
    void ready(SelectionKey key) throws IOException;

    /** {@link #ready} threw this, and the channel was closed for it. */
    default void failed(Throwable cause) {}
  }

  /** A task for a later time; can be cancelled until it runs. */
  public final class Timer implements Comparable<Timer> {

    private final long deadline;
    private final long number;
    private final Runnable task;

    private Timer(long deadline, Runnable task) {
      this.deadline = deadline;
      this.number = timersMade++;
      this.task = task;
    }

    /** Forgets the task; without effect when it has run. */
    public void cancel() {
      timers.remove(this);
    }

    @Override
    public int compareTo(Timer other) {
      // nanoTime may wrap: only differences have an order.
      int order = Long.signum(deadline - other.deadline);
      return order != 0 ? order : Long.compare(number, other.number);
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(number);
    }
  }

  /**
   * @param name of the thread
   * @param nanoClock what timers go by, {@code System::nanoTime} but in tests
   * @throws UncheckedIOException when the kernel gives no selector
   */
  public EventLoop(String name, LongSupplier nanoClock) {
    this.name = name;
    this.nanoClock = nanoClock;
    try {
      this.selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot open a selector for " + name, e);
    }
  }

  /** Starts the thread; once. */
  public void start() {
    Thread started = new Thread(this::run, name);
    thread = started;
    started.start();
  }

  /** The loop's clock, in nanoseconds; only differences mean anything. */
  public long nanoTime() {
    return nanoClock.getAsLong();
  }

  /**
   * Runs a task in this or the next turn. From any thread.
   *
   * @throws RejectedExecutionException when the loop was closed; the task will not run then
   */
  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (stopped && tasks.remove(task)) {
      throw new RejectedExecutionException(name + " was stopped");
    }
    if (Thread.currentThread() != thread) {
      selector.wakeup();
    }
  }

  /** Runs a task once, after a delay. */
  public Timer schedule(Duration delay, Runnable task) {
    checkThread();
    Timer timer = new Timer(nanoTime() + delay.toNanos(), task);
    timers.add(timer);
    return timer;
  }

  /**
   * Serves a channel until it is closed. The channel becomes non-blocking, and is closed at the
   * latest when the loop is.
   *
   * @param interest operations of {@link SelectionKey}
   */
  public SelectionKey register(SelectableChannel channel, int interest, ChannelHandler handler)
      throws IOException {
    checkThread();
    channel.configureBlocking(false);
    return channel.register(selector, interest, handler);
  }

  /** Ends the loop after its current turn, closes its channels, and waits for that. Idempotent. */
  @Override
  public void close() {
    stopping = true;
    Thread running = thread;
    if (running == null) {
      end();
    } else if (running != Thread.currentThread()) {
      selector.wakeup();
      join(running);
    }
  }

  /**
   * One turn: waits until a channel is ready, a timer due or a task queued, at most as long as
   * said, and serves all of them. For a loop that is not started.
   */
  public void turn(Duration maxWait) {
    checkThread();
    try {
      select(maxWait.toNanos());
      runTimers();
      runTasks();
    } catch (IOException e) {
      throw new UncheckedIOException(name + ": cannot wait for channels", e);
    }
  }

  private void run() {
    try {
      while (!stopping) {
        turn(Duration.ofHours(1));
      }
    } finally {
      end();
    }
  }

  private void select(long maxWaitNanos) throws IOException {
    long waitNanos = Math.min(maxWaitNanos, nanosToNextTimer());
    if (waitNanos <= 0 || !tasks.isEmpty() || stopping) {
      selector.selectNow(this::serve);
    } else {
      // Rounded up, or the loop would turn idly through the last millisecond before a timer.
      long millis = TimeUnit.NANOSECONDS.toMillis(waitNanos + 999_999);
      selector.select(this::serve, millis);
    }
  }

  private void serve(SelectionKey key) {
    if (!key.isValid()) {
      return;
    }
    ChannelHandler handler = (ChannelHandler) key.attachment();
    try {
      handler.ready(key);
    } catch (Throwable e) {
      LOG.error("{}: closing {} after an unexpected failure", name, key.channel(), e);
      closeQuietly(key.channel());
      guarded(() -> handler.failed(e));
    }
  }

  private long nanosToNextTimer() {
    return timers.isEmpty() ? Long.MAX_VALUE : timers.first().deadline - nanoTime();
  }

  private void runTimers() {
    long now = nanoTime();
    while (!timers.isEmpty() && timers.first().deadline - now <= 0) {
      guarded(timers.pollFirst().task);
    }
  }

  private void runTasks() {
    // A task queued by a task waits for the next turn, so that channels are not starved.
    for (int left = tasks.size(); left > 0; left--) {
      Runnable task = tasks.poll();
      if (task != null) {
        guarded(task);
      }
    }
  }

  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (Throwable e) {
      LOG.error("{}: unexpected failure", name, e);
    }
  }

  private void end() {
    drain();
    stopped = true;
    // What was queued in between neither runs in a further turn nor is refused.
    drain();
    if (selector.isOpen()) {
      selector.keys().forEach(key -> closeQuietly(key.channel()));
      try {
        selector.close();
      } catch (IOException e) {
        LOG.warn("{}: closing the selector failed", name, e);
      }
    }
  }

  private void drain() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      guarded(task);
    }
  }

  private void closeQuietly(SelectableChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("{}: closing {} failed", name, channel, e);
    }
  }

  private void checkThread() {
    Thread owner = thread;
    if (owner != null && owner != Thread.currentThread()) {
      throw new IllegalStateException("only the thread of " + name + " may do this");
    }
  }

  private static void join(Thread running) {
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
