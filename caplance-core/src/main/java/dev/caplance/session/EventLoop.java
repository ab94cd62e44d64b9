package dev.caplance.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.Iterator;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that waits for channels, timers and tasks. What these use needs no locks, since only
 * this thread runs them. A turn of the loop serves the channels that are ready, then the timers
 * that are due, then the tasks queued so far: a task queued while channels are served runs after
 * all of them.
 *
 * <p>After a {@linkplain StallMeter stall} much may wait to be read, while timers are due that
 * judge by what was not heard. So the next turn serves the channels until nothing is left to read,
 * and then what is queued, before any timer; and {@link #attentiveNanos} does not count the stall.
 *
 * <p>What a channel's handler, a timer or a task throws is logged and ends that channel, timer or
 * task only. Any thread may call {@link #execute} and {@link #close}; everything else is for the
 * loop's thread, or for any one thread before {@link #start}. Instead of being started, a loop can
 * be driven turn by turn with {@link #turn}, which makes tests with a clock of their own
 * repeatable.
 */
public final class EventLoop implements Executor, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

  /** Bounds the reading after a stall, in case that someone sends faster than it is read. */
  private static final int MAX_ROUNDS_AFTER_STALL = 256;

  private final String name;
  private final LongSupplier nanoClock;
  private final Selector selector;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final TreeSet<Timer> timers = new TreeSet<>();
  private long timersMade;
  private final StallMeter stalls;
  private volatile Thread thread;
  private volatile boolean stopping;
  private volatile boolean stopped;

  /** Serves one channel. */
  public interface ChannelHandler {

    /** The channel is ready for an operation in the key's interest set. */
    void ready(SelectionKey key) throws IOException;

    /** {@link #ready} threw this, so the channel was closed. */
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

    /** Forgets the task; has no effect after it has run. */
    public void cancel() {
      timers.remove(this);
    }

    @Override
    public int compareTo(Timer other) {
      // nanoTime may wrap: only differences have an order.
      int order = Long.signum(deadline - other.deadline);
      return order != 0 ? order : Long.compare(number, other.number);
    }
  }

  /**
   * A loop that has not been started.
   *
   * @param name of the thread
   * @param nanoClock the clock of timers, {@code System::nanoTime} except in tests
   * @throws UncheckedIOException when the kernel gives no selector
   */
  public EventLoop(String name, LongSupplier nanoClock) {
    this.name = name;
    this.nanoClock = nanoClock;
    this.stalls = new StallMeter(name);
    try {
      this.selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot open a selector for " + name, e);
    }
  }

  /**
   * Starts the thread; to be called once.
   *
   * @param onFailure called by the thread if it ends because of a failure of the loop itself; its
   *     channels are closed then
   */
  public void start(Consumer<Throwable> onFailure) {
    Thread started = new Thread(() -> run(onFailure), name);
    thread = started;
    started.start();
  }

  /** The loop's clock in nanoseconds; only differences are meaningful. */
  public long nanoTime() {
    return nanoClock.getAsLong();
  }

  /**
   * The time that this loop has spent listening, without stalls, in nanoseconds: the time to
   * measure the silence of others by. Only differences are meaningful. It advances once in each
   * turn.
   */
  public long attentiveNanos() {
    return stalls.attentiveNanos();
  }

  /**
   * Runs a task in this or the next turn. Any thread may call.
   *
   * @throws RejectedExecutionException when the loop was closed, so the task will not run
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
   * Serves a channel until it is closed, at the latest when the loop is. The channel becomes
   * non-blocking.
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
   * One turn: waits until a channel is ready, a timer is due or a task is queued, at most for this
   * time, and serves all of them. For a loop that is not started.
   */
  public void turn(Duration maxWait) {
    checkThread();
    try {
      if (look(maxWait.toNanos())) {
        readWhatWaits();
      }
      runTimers();
      runTasks();
    } catch (IOException e) {
      throw new UncheckedIOException(name + ": cannot wait for channels", e);
    }
  }

  private void run(Consumer<Throwable> onFailure) {
    try {
      while (!stopping) {
        turn(Duration.ofHours(1));
      }
      end();
    } catch (RuntimeException | Error e) {
      try {
        end();
      } finally {
        onFailure.accept(e);
      }
    }
  }

  /**
   * Waits for channels and serves them; returns whether that was later than it should have been.
   */
  private boolean look(long maxWaitNanos) throws IOException {
    boolean busy = !tasks.isEmpty() || stopping;
    long waitNanos = busy ? 0 : waitNanos(maxWaitNanos);
    if (waitNanos == 0) {
      selector.selectNow();
    } else {
      // Rounded up, or the loop would spin during the last millisecond before a timer.
      selector.select(TimeUnit.NANOSECONDS.toMillis(waitNanos + 999_999));
    }
    long stall = stalls.look(nanoTime(), waitNanos);
    serveSelected();
    return stall > 0;
  }

  private long waitNanos(long max) {
    return timers.isEmpty()
        ? max
        : Math.max(0, Math.min(max, timers.first().deadline - nanoTime()));
  }

  private void readWhatWaits() throws IOException {
    for (int round = 0; round < MAX_ROUNDS_AFTER_STALL && selector.selectNow() > 0; round++) {
      serveSelected();
    }
    runTasks();
  }

  private void serveSelected() {
    Iterator<SelectionKey> ready = selector.selectedKeys().iterator();
    while (ready.hasNext()) {
      SelectionKey key = ready.next();
      ready.remove();
      serve(key);
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

  private void runTimers() {
    long now = nanoTime();
    while (!timers.isEmpty() && timers.first().deadline - now <= 0) {
      guarded(timers.pollFirst().task);
    }
  }

  private void runTasks() {
    // A task queued by a task waits for the next turn, so that channels do not starve.
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
    // What was queued in between would neither run in another turn nor be rejected.
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
