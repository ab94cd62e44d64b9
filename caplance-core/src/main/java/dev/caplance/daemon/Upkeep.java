package dev.caplance.daemon;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks every two seconds, on a thread of its own, whether the machine is still as the daemon needs
 * it. A look that fails is logged, and not again while it fails for the same reason.
 */
public final class Upkeep implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  private final Look look;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "upkeep");

  /** Looks, and mends what it finds. */
  @FunctionalInterface
  public interface Look {
    void look() throws IOException;
  }

  /** Upkeep that {@link #start} begins. */
  public Upkeep(Look look) {
    this.look = look;
  }

  public void start() {
    thread.start();
  }

  private void run() {
    String lastFailure = "";
    try {
      while (!closing.await(PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
        String failure = failureOfLook();
        if (!failure.isEmpty() && !failure.equals(lastFailure)) {
          LOG.error("cannot look after this machine: {}", failure);
        }
        lastFailure = failure;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String failureOfLook() {
    try {
      look.look();
      return "";
    } catch (IOException | RuntimeException e) {
      return e.toString();
    }
  }

  /** Returns when no look is under way and none will begin. */
  @Override
  public void close() {
    closing.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
