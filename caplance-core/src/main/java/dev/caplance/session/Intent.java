package dev.caplance.session;

import java.util.Locale;

/** What a backend is meant to do with traffic, from the least to the most restrictive. */
public enum Intent {
  /** Takes new flows. */
  ACTIVE,
  /** Keeps its flows, takes no new ones. */
  DRAINING,
  /** Takes no packets, stays registered. */
  PAUSED;

  /** The word for it on the wire and for operators: {@code active} and so on. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The intent for a word from the wire.
   *
   * @throws IllegalArgumentException when there is none
   */
  static Intent of(String word) {
    for (Intent intent : values()) {
      if (intent.word().equals(word)) {
        return intent;
      }
    }
    throw new IllegalArgumentException(
        "intent=" + Syntax.abbreviate(word) + " is unknown; write active, draining or paused");
  }
}
