package dev.caplance.lb.dataplane.nfqueue;

/** Counts whole seconds since the data plane was created. Any thread may call. */
final class SecondsClock {

  private static final long NANOS = 1_000_000_000;

  private final long start = System.nanoTime();

  int seconds() {
    return (int) ((System.nanoTime() - start) / NANOS);
  }
}
