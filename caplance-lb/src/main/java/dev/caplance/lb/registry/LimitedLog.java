package dev.caplance.lb.registry;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.event.Level;

/**
 * A log for events that a peer can cause at will: a burst of lines, then one per interval, which
 * says how many were left out. Those go to the debug level. For one thread.
 */
final class LimitedLog {

  private final Logger log;
  private final LongSupplier nanoClock;
  private final int burst;
  private final long intervalNanos;
  private int allowed;
  private long refilled;
  private long leftOut;

  /**
   * @param burst lines at once
   * @param interval in which one more is allowed
   */
  LimitedLog(Logger log, LongSupplier nanoClock, int burst, Duration interval) {
    this.log = log;
    this.nanoClock = nanoClock;
    this.burst = burst;
    this.intervalNanos = interval.toNanos();
    this.allowed = burst;
    this.refilled = nanoClock.getAsLong();
  }

  void log(Level level, String line) {
    refill();
    if (allowed == 0) {
      leftOut++;
      log.debug(line);
      return;
    }
    allowed--;
    if (leftOut > 0) {
      log.atLevel(level).log("{} ({} lines like this were left out)", line, leftOut);
      leftOut = 0;
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
