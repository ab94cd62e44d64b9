package dev.caplance.lb.registry;

import dev.caplance.packet.TokenBucket;
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
  private final TokenBucket lines;
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
    this.lines = new TokenBucket(burst, 1, interval.toNanos(), nanoClock.getAsLong());
  }

  /** Logs a line, or suppresses it when the limit is reached. */
  void log(Level level, String line) {
    if (!lines.take(nanoClock.getAsLong())) {
      suppressed++;
      log.debug(line);
      return;
    }
    if (suppressed > 0) {
      log.atLevel(level).log("{} ({} similar lines suppressed)", line, suppressed);
      suppressed = 0;
    } else {
      log.atLevel(level).log(line);
    }
  }
}
