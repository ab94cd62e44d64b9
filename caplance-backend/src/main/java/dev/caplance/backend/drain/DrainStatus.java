package dev.caplance.backend.drain;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How far a drain has come at one moment.
 *
 * @param connections how many there were at the last look; empty when they could not be counted
 * @param remaining the time to the deadline, not negative; only of a drain that is under way and
 *     has a deadline
 */
public record DrainStatus(State state, OptionalInt connections, Optional<Duration> remaining) {

  /** What has become of a drain. */
  public enum State {
    /** New flows go elsewhere, existing ones stay. */
    DRAINING,
    /** All connections are gone, and the backend has paused. */
    DRAINED,
    /** The deadline was over before, and the backend has paused. */
    DEADLINE,
    /** Somebody wanted something else. */
    CANCELLED;

    /** The word for it in front of operators: {@code draining} and so on. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** One line for operators: {@code 17 connections left, 3m40s to the deadline}. */
  public String text() {
    return switch (state) {
      case DRAINING ->
          connectionsLeft()
              + remaining.map(left -> ", " + format(left) + " to the deadline").orElse("");
      case DRAINED -> "all connections are gone";
      case DEADLINE -> "the deadline is over, " + connectionsLeft();
      case CANCELLED -> "broken off, " + connectionsLeft();
    };
  }

  private String connectionsLeft() {
    if (connections.isEmpty()) {
      return "an unknown number of connections left";
    }
    int left = connections.getAsInt();
    return (left == 0 ? "no" : left) + (left == 1 ? " connection left" : " connections left");
  }

  /** Rounded up, so that it says nothing is left only when that is so. */
  private static String format(Duration duration) {
    long seconds = duration.plusNanos(999_999_999).toSeconds();
    String text = seconds % 60 + "s";
    if (seconds >= 60) {
      text = seconds / 60 % 60 + "m" + text;
    }
    return seconds >= 3600 ? seconds / 3600 + "h" + text : text;
  }
}
