package dev.caplance.backend.session;

import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * When to try again after a session has ended: at once if it had been registered for a while, or
 * its flows would move elsewhere, and otherwise after a pause that grows. One thread owns it.
 */
final class Reconnection {

  private final RandomGenerator random;
  private final LongSupplier nanoClock;
  private Duration initial;
  private Backoff backoff;
  private Long registeredAt;
  private long nextAttempt;

  Reconnection(SessionSettings settings, RandomGenerator random, LongSupplier nanoClock) {
    this.random = random;
    this.nanoClock = nanoClock;
    apply(settings);
  }

  /** Pauses as these settings say, the next one being the first. */
  void apply(SessionSettings settings) {
    initial = settings.reconnectInitial();
    backoff = new Backoff(initial, settings.reconnectMax(), random);
  }

  /** The load balancer works, so the next pause is the shortest. */
  void registered() {
    registeredAt = nanoClock.getAsLong();
    backoff.reset();
  }

  /** Whether the session that has not ended yet, or has just ended, was registered. */
  boolean wasRegistered() {
    return registeredAt != null;
  }

  /** A session has ended, or none could begin; returns the pause. */
  Duration ended(boolean atOnce) {
    long now = nanoClock.getAsLong();
    // Not after one that ended just as it began: the next one might do so, too, again and again.
    boolean lasted = registeredAt != null && now - registeredAt >= initial.toNanos();
    registeredAt = null;
    Duration pause = atOnce || lasted ? Duration.ZERO : backoff.next();
    nextAttempt = now + pause.toNanos();
    return pause;
  }

  /** Starts over with the shortest pause. */
  void reset() {
    registeredAt = null;
    backoff.reset();
  }

  /** Nanoseconds until the next attempt is due. */
  long untilNext() {
    return nextAttempt - nanoClock.getAsLong();
  }
}
