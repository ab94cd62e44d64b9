package dev.caplance.backend.session;

import java.util.Locale;
import java.util.Optional;

/**
 * What this backend wants to be at all its load balancers: one of the intents that sessions know,
 * or not registered at all.
 */
public enum BackendIntent {
  /** Takes new flows. */
  ACTIVE,
  /** Keeps its flows, takes no new ones. */
  DRAINING,
  /** Stays registered, takes no packets. */
  PAUSED,
  /** Is registered nowhere until it is resumed. */
  DEREGISTERED;

  /** The word for it in messages: {@code active} and so on. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Why this intent cannot be followed by another one; empty if it can. */
  Optional<String> objectionTo(BackendIntent next) {
    if (next == this) {
      return Optional.of("already " + word());
    }
    boolean mustResume =
        (this == DEREGISTERED && next != ACTIVE) || (this == PAUSED && next == DRAINING);
    return mustResume ? Optional.of(word() + "; resume it first") : Optional.empty();
  }
}
