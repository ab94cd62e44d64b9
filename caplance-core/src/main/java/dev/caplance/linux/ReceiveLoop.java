package dev.caplance.linux;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that carries batch after batch until it is stopped. {@link #start} and {@link #stop} are
 * called once, in this order; the other methods by any thread.
 */
public final class ReceiveLoop {

  /**
   * How long a duty may wait for packets, so that the loop notices that it must end. It costs a few
   * wake-ups a second.
   */
  public static final int RECEIVE_TIMEOUT_MILLIS = 200;

  /** A duty without work that returns sooner did not wait for any: receiving fails. */
  private static final long SHORTEST_WAIT_NANOS = 1_000_000;

  private static final long PAUSE_NANOS = 10_000_000;

  private final Duty duty;
  private final Owner owner;
  private final Thread thread;

  private volatile boolean running = true;

  /** What the thread does again and again. */
  @FunctionalInterface
  public interface Duty {

    /**
     * Waits for a batch, at most {@link #RECEIVE_TIMEOUT_MILLIS}, and carries it. Errors are the
     * duty's to count, and a {@link FailureWatch}'s to report.
     *
     * @return the work done: how many messages the batch had, 0 when none came
     */
    int carryBatch();
  }

  /** The part of the program that answers for a loop. Called by the loop's thread. */
  public interface Owner {

    /** The loop has ended although nobody stopped it. */
    void ended(Throwable cause);

    /** A system call has done nothing but fail for a second. */
    void failing(LinuxException cause);

    /** A system call that was {@link #failing} works again, after so many failures in a row. */
    void recovered(String call, long failures);
  }

  /**
   * A loop that is not started.
   *
   * @param name of the thread
   */
  public ReceiveLoop(String name, Duty duty, Owner owner) {
    this.duty = duty;
    this.owner = owner;
    this.thread = new Thread(this::run, name);
  }

  public void start() {
    thread.start();
  }

  private void run() {
    try {
      long lastIdle = System.nanoTime() - SHORTEST_WAIT_NANOS;
      while (running) {
        if (duty.carryBatch() == 0) {
          if (System.nanoTime() - lastIdle < SHORTEST_WAIT_NANOS) {
            LockSupport.parkNanos(PAUSE_NANOS);
          }
          lastIdle = System.nanoTime();
        }
      }
    } catch (Throwable e) {
      owner.ended(e);
    }
  }

  /** Bytes that the thread has allocated since its start; −1 when it does not run. */
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
