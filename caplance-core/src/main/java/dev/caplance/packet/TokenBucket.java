package dev.caplance.packet;

/**
 * A rate limit: a bucket of tokens that begins full and is refilled at intervals. Allocates
 * nothing. For one thread.
 */
public final class TokenBucket {

  private static final long SECOND_NANOS = 1_000_000_000;

  private final int burst;
  private final int refill;
  private final long intervalNanos;
  private long refilled;
  private int tokens;

  /**
   * A full bucket.
   *
   * @param burst tokens that the bucket holds, at least 1
   * @param refill tokens that are added after each interval
   * @param intervalNanos at least 1
   * @param now in nanoseconds, like all times here of a clock that never goes back
   */
  public TokenBucket(int burst, int refill, long intervalNanos, long now) {
    this.burst = burst;
    this.refill = refill;
    this.intervalNanos = intervalNanos;
    this.refilled = now;
    this.tokens = burst;
  }

  /** A bucket that holds {@code count} tokens and is full again after each second. */
  public static TokenBucket perSecond(int count, long now) {
    return new TokenBucket(count, count, SECOND_NANOS, now);
  }

  /** Takes a token; false when there is none. */
  public boolean take(long now) {
    long intervals = (now - refilled) / intervalNanos;
    if (intervals > 0) {
      refilled += intervals * intervalNanos;
      tokens = (int) Math.min(burst, tokens + Math.min(intervals, burst) * refill);
    }
    if (tokens == 0) {
      return false;
    }
    tokens--;
    return true;
  }
}
