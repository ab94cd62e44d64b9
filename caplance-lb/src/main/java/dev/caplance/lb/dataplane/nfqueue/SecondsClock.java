package dev.caplance.lb.dataplane.nfqueue;

import java.util.function.LongSupplier;

/** Counts whole seconds since the data plane was created. Any thread may call. */
final class SecondsClock {

  private static final long NANOS = 1_000_000_000;

  private final LongSupplier nanoClock;
  private final long start;

  SecondsClock() {
    this(System::nanoTime);
  }

  SecondsClock(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.start = nanoClock.getAsLong();
  }

  int seconds() {
    return (int) ((nanoClock.getAsLong() - start) / NANOS);
  }
}
