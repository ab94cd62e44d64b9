package dev.caplance.backend.drain;

import dev.caplance.config.DurationFormat;
import java.time.Duration;
import java.util.Optional;

/**
 * The state of a drain at one moment.
 *
 * @param left what there was at the last count; empty if it could not be counted
 * @param remaining the time to the deadline, not negative; only while the drain is under way, and
 *     if it has a deadline
 */
public record DrainStatus(State state, Optional<OngoingFlows> left, Optional<Duration> remaining) {

  /** Whether a drain is under way, or how it ended. */
  public enum State {
    /** Under way: new flows go elsewhere, existing ones stay. */
    DRAINING,
    /** All connections and flows are gone, and the backend has paused. */
    DRAINED,
    /** The deadline passed first, and the backend has paused. */
    DEADLINE,
    /** It was given up: another command came, or it failed. */
    CANCELLED
  }

  /** One line for operators: {@code 17 connections left, 3m40s to the deadline}. */
  public String text() {
    return switch (state) {
      case DRAINING ->
          connectionsLeft()
              + remaining
                  .map(left -> ", " + DurationFormat.format(roundUp(left)) + " to the deadline")
                  .orElse("");
      case DRAINED -> "all connections are gone";
      case DEADLINE -> "the deadline has passed, " + connectionsLeft();
      case CANCELLED -> "cancelled, " + connectionsLeft();
    };
  }

  private String connectionsLeft() {
    return left.map(OngoingFlows::toString).orElse("an unknown number of connections") + " left";
  }

  /** To whole seconds, so that 0 is only said when no time is left. */
  private static Duration roundUp(Duration duration) {
    return Duration.ofSeconds(duration.plusNanos(999_999_999).toSeconds());
  }
}
