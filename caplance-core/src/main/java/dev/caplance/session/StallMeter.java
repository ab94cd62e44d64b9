package dev.caplance.session;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the time in which a loop listens from that in which its process stands still: stopped,
 * swapped out, or busy with something else. Not thread-safe.
 */
final class StallMeter {

  /** A look that is later than this is late because the process stood still. */
  private static final long MAX_LATENESS = TimeUnit.MILLISECONDS.toNanos(100);

  /** Stalls that are worth a line in the log. */
  private static final long LONG_STALL = TimeUnit.SECONDS.toNanos(1);

  private static final Logger LOG = LoggerFactory.getLogger(StallMeter.class);

  private final String loop;
  private boolean hasLooked;
  private long lastLook;
  private long attentive;

  /** Measures from the first look on; {@code loop} names the loop in the log. */
  StallMeter(String loop) {
    this.loop = loop;
  }

  /**
   * Notes that the loop looks at its channels.
   *
   * @param now in nanoseconds, of a clock that may wrap
   * @param planned the longest time that it meant to wait since its last look
   * @return for how long the process stood still meanwhile; 0 if it did not
   */
  long look(long now, long planned) {
    long elapsed = hasLooked ? now - lastLook : 0;
    long stall = Math.max(0, elapsed - planned - MAX_LATENESS);
    attentive += elapsed - stall;
    lastLook = now;
    hasLooked = true;
    if (stall > LONG_STALL) {
      LOG.warn("{}: this process stood still for {} ms", loop, stall / 1_000_000);
    }
    return stall;
  }

  /** The time without stalls until the last look, in nanoseconds. */
  long attentiveNanos() {
    return attentive;
  }
}
