package dev.caplance.backend.session;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Time that passes only when a test says so; both clocks go together. */
final class FakeClock implements LongSupplier, InstantSource {

  static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

  // A beginning from which the nano clock soon wraps: only differences may be relied on.
  private static final long FIRST = Long.MAX_VALUE - 1_000_000_000L;

  private final AtomicLong nanos = new AtomicLong(FIRST);

  void advance(Duration duration) {
    nanos.addAndGet(duration.toNanos());
  }

  @Override
  public long getAsLong() {
    return nanos.get();
  }

  @Override
  public Instant instant() {
    return START.plusNanos(nanos.get() - FIRST);
  }
}
