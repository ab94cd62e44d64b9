package dev.caplance.backend.session;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Pauses that double from an initial to a maximum length. Each is shortened at random by up to
 * half, or all backends would return to a restarted load balancer at the same instant.
 */
final class Backoff {

  private final Duration initial;
  private final Duration max;
  private final RandomGenerator random;
  private Duration longest;

  Backoff(Duration initial, Duration max, RandomGenerator random) {
    this.initial = initial;
    this.max = max;
    this.random = random;
    this.longest = initial;
  }

  /** The pause to make now; the next one will be longer. */
  Duration next() {
    long half = longest.toNanos() / 2;
    Duration pause = longest.minusNanos(random.nextLong(half + 1));
    Duration doubled = longest.multipliedBy(2);
    longest = doubled.compareTo(max) < 0 ? doubled : max;
    return pause;
  }

  /** Starts over from the initial pause. */
  void reset() {
    longest = initial;
  }
}
