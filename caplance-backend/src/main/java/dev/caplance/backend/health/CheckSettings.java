package dev.caplance.backend.health;

import java.time.Duration;

/**
 * A check and its rhythm.
 *
 * @param target what is checked
 * @param interval from the beginning of one look to that of the next
 * @param timeout for one look, not longer than the interval
 * @param rise so many successes in a row make an unfit application fit, at least 1
 * @param fall so many failures in a row make a fit application unfit, at least 1
 */
public record CheckSettings(
    CheckTarget target, Duration interval, Duration timeout, int rise, int fall) {

  /**
   * @throws IllegalArgumentException when a value is out of its range
   */
  public CheckSettings {
    if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(interval) > 0) {
      throw new IllegalArgumentException("a timeout of " + timeout + ", every " + interval);
    }
    if (rise < 1 || fall < 1) {
      throw new IllegalArgumentException("rise " + rise + " and fall " + fall + " are at least 1");
    }
  }
}
