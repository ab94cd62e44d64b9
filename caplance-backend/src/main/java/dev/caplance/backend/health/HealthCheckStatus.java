package dev.caplance.backend.health;

import java.time.Instant;
import java.util.Optional;

/**
 * The state of one check at one moment.
 *
 * @param since when the state began
 * @param lastError why the last attempt failed, or the last failed one while the application is
 *     unhealthy; empty while the last attempt of a healthy application succeeded
 */
public record HealthCheckStatus(
    CheckTarget target, State state, Instant since, Optional<String> lastError) {

  /** What a check says about the application. */
  public enum State {
    /** No attempt has ended yet. */
    UNKNOWN,
    HEALTHY,
    UNHEALTHY
  }
}
