package dev.caplance.backend.health;

import java.time.Duration;

/**
 * What one check checks, and how often.
 *
 * @param interval from the start of one attempt to the start of the next
 * @param timeout of one attempt, at most the interval
 * @param rise how many successes in a row make an unhealthy application healthy, at least 1
 * @param fall how many failures in a row make a healthy application unhealthy, at least 1
 */
public record HealthCheckSettings(
    CheckTarget target, Duration interval, Duration timeout, int rise, int fall) {

  /**
   * @throws IllegalArgumentException if a value is out of range
   */
  public HealthCheckSettings {
    if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(interval) > 0) {
      throw new IllegalArgumentException("a timeout of " + timeout + ", every " + interval);
    }
    if (rise < 1 || fall < 1) {
      throw new IllegalArgumentException("rise " + rise + " or fall " + fall + " is less than 1");
    }
  }
}
