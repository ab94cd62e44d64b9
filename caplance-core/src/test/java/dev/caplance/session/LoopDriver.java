package dev.caplance.session;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Turns a loop on the test's own thread, until something has happened. */
final class LoopDriver implements AutoCloseable {

  private static final Duration GIVE_UP = Duration.ofSeconds(60);

  final EventLoop loop;

  LoopDriver() {
    this(System::nanoTime);
  }

  LoopDriver(LongSupplier nanoClock) {
    loop = new EventLoop("test", nanoClock);
  }

  void turnUntil(BooleanSupplier happened) {
    long start = System.nanoTime();
    while (!happened.getAsBoolean()) {
      if (System.nanoTime() - start > GIVE_UP.toNanos()) {
        throw new AssertionError("waited in vain for " + GIVE_UP);
      }
      loop.turn(Duration.ofMillis(10));
    }
  }

  /** Everything that is ready, due or queued now. */
  void turn() {
    loop.turn(Duration.ZERO);
  }

  @Override
  public void close() {
    loop.close();
  }
}
