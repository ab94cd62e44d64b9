package dev.caplance.backend.health;

import dev.caplance.backend.health.HealthChecks.Status.State;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of one check. The first attempt decides at once; after that a change of state takes
 * several contradicting results in a row. Used by one thread at a time.
 */
final class HealthCheck {

  private static final Logger LOG = LoggerFactory.getLogger(HealthCheck.class);

  private final HealthChecks.Settings settings;
  private final InstantSource clock;

  private State state = State.UNKNOWN;
  private Instant since;
  private int contradictions;
  private Optional<String> lastError = Optional.empty();

  /** A check that has not been attempted yet. */
  HealthCheck(HealthChecks.Settings settings, InstantSource clock) {
    this.settings = settings;
    this.clock = clock;
    this.since = clock.instant();
  }

  HealthChecks.Settings settings() {
    return settings;
  }

  /**
   * Takes the result of an attempt.
   *
   * @param error why it failed; empty if it succeeded
   */
  void attempted(Optional<String> error) {
    State seen = error.isEmpty() ? State.HEALTHY : State.UNHEALTHY;
    contradictions = seen == state ? 0 : contradictions + 1;
    if (error.isPresent()) {
      lastError = error;
    }
    int needed = seen == State.HEALTHY ? settings.rise() : settings.fall();
    if (seen != state && (state == State.UNKNOWN || contradictions >= needed)) {
      become(seen);
    }
    if (error.isEmpty() && state == State.HEALTHY) {
      lastError = Optional.empty();
    }
  }

  private void become(State next) {
    state = next;
    since = clock.instant();
    contradictions = 0;
    CheckTarget target = settings.target();
    if (next == State.HEALTHY) {
      LOG.info("check {} {}: healthy", target.type(), target.name());
    } else {
      LOG.warn("check {} {}: unhealthy: {}", target.type(), target.name(), lastError.orElseThrow());
    }
  }

  HealthChecks.Status status() {
    return new HealthChecks.Status(settings.target(), state, since, lastError);
  }
}
