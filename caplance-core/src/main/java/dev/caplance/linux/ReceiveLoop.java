package dev.caplance.linux;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * A thread that takes batch after batch until it is stopped. {@link #start} and {@link #stop} are
 * called once, in this order; the rest by any thread.
 */
public final class ReceiveLoop {

  /**
   * How long a duty may wait for packets, so that the loop notices that it shall end. It costs a
   * few wake-ups a second.
   */
  public static final int RECEIVE_TIMEOUT_MILLIS = 200;

  private static final long PAUSE_AFTER_FAILURE_NANOS = 10_000_000;

  private final Duty duty;
  private final Consumer<Throwable> onFailure;
  private final Thread thread;

  private volatile boolean running = true;

  /** What the thread does again and again. */
  @FunctionalInterface
  public interface Duty {

    /**
     * Waits for a batch, at most {@link #RECEIVE_TIMEOUT_MILLIS}, and carries it.
     *
     * @return how many messages it had, or a negative error number
     */
    int carryBatch();
  }

  /**
   * A loop that is not started.
   *
   * @param name of the thread
   * @param onFailure told by the thread when the duty threw something, which ends the loop
   */
  public ReceiveLoop(String name, Duty duty, Consumer<Throwable> onFailure) {
    this.duty = duty;
    this.onFailure = onFailure;
    this.thread = new Thread(this::run, name);
  }

  public void start() {
    thread.start();
  }

  private void run() {
    try {
      while (running) {
        int result = duty.carryBatch();
        if (result < 0 && result != -Errno.EAGAIN && result != -Errno.EINTR) {
          LockSupport.parkNanos(PAUSE_AFTER_FAILURE_NANOS);
        }
      }
    } catch (RuntimeException | Error e) {
      onFailure.accept(e);
    }
  }

  /** Bytes that the thread has ever taken from the heap; −1 when it does not run. */
  public long allocatedBytes() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getThreadAllocatedBytes(thread.getId());
  }

  /** Returns when the last batch was carried and the thread has ended. */
  public void stop() {
    running = false;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
