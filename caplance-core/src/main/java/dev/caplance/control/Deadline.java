package dev.caplance.control;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Closes a channel when its time is up, which ends any call that blocks on it: the JDK's
 * Unix-domain channels have no timeouts.
 */
final class Deadline implements AutoCloseable {

  private final CountDownLatch done = new CountDownLatch(1);
  private volatile boolean passed;

  /** Starts the clock. */
  Deadline(Closeable channel, Duration timeout) {
    Thread thread = new Thread(() -> await(channel, timeout), "deadline");
    thread.setDaemon(true);
    thread.start();
  }

  private void await(Closeable channel, Duration timeout) {
    try {
      if (!done.await(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
        passed = true;
        channel.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the time ran out before {@link #close}. */
  boolean passed() {
    return passed;
  }

  /** Stops the clock. */
  @Override
  public void close() {
    done.countDown();
  }
}
