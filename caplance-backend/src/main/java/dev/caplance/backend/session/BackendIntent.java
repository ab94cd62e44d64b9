package dev.caplance.backend.session;

import java.util.Arrays;
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

  /** The intent with this word; empty if there is none. */
  public static Optional<BackendIntent> of(String word) {
    return Arrays.stream(values()).filter(intent -> intent.word().equals(word)).findFirst();
  }

  /** Why this intent cannot be followed by another one; empty if it can, or is the same. */
  Optional<String> objectionTo(BackendIntent next) {
    boolean mustResume =
        (this == DEREGISTERED && next != ACTIVE && next != this)
            || (this == PAUSED && next == DRAINING);
    return mustResume ? Optional.of(word() + "; resume it first") : Optional.empty();
  }
}
