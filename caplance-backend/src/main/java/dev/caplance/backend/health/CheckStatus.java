package dev.caplance.backend.health;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * How it stands with one check at one moment.
 *
 * @param since when the state began
 * @param lastError why a look failed that was the last one, or the last one of an unfit
 *     application; empty when all is well
 */
public record CheckStatus(
    CheckTarget target, State state, Instant since, Optional<String> lastError) {

  /** What a check says of the application. */
  public enum State {
    /** No look has ended yet. */
    UNKNOWN,
    FIT,
    UNFIT;

    /** The word for it in front of operators: {@code unknown} and so on. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
