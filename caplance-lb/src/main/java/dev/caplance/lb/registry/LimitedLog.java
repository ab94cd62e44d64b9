package dev.caplance.lb.registry;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.event.Level;

/**
 * A rate-limited log for events that a peer can cause at will: a burst of lines, then one per
 * interval, which tells how many were suppressed. Suppressed lines are logged at debug level. Not
 * thread-safe.
 */
final class LimitedLog {

  private final Logger log;
  private final LongSupplier nanoClock;
  private final int burst;
  private final long intervalNanos;
  private int allowed;
  private long refilled;
  private long suppressed;

  /**
   * Creates a log that allows a full burst at once.
   *
   * @param nanoClock monotonic, in nanoseconds
   * @param burst lines allowed at once
   * @param interval after which one more line is allowed
   */
  LimitedLog(Logger log, LongSupplier nanoClock, int burst, Duration interval) {
    this.log = log;
    this.nanoClock = nanoClock;
    this.burst = burst;
    this.intervalNanos = interval.toNanos();
    this.allowed = burst;
    this.refilled = nanoClock.getAsLong();
  }

  /** Logs a line, or suppresses it when the limit is reached. */
  void log(Level level, String line) {
    refill();
    if (allowed == 0) {
      suppressed++;
      log.debug(line);
      return;
    }
    allowed--;
    if (suppressed > 0) {
      log.atLevel(level).log("{} ({} similar lines suppressed)", line, suppressed);
      suppressed = 0;
    } else {
      log.atLevel(level).log(line);
    }
  }

  private void refill() {
    long intervals = (nanoClock.getAsLong() - refilled) / intervalNanos;
    refilled += intervals * intervalNanos;
    allowed = (int) Math.min(burst, allowed + intervals);
  }
}
