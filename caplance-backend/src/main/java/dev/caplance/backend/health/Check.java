package dev.caplance.backend.health;

import dev.caplance.backend.health.CheckStatus.State;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the looks of one check lead to: the first one decides at once, later it takes some in a row.
 * Used by one thread at a time.
 */
final class Check {

  private static final Logger LOG = LoggerFactory.getLogger(Check.class);

  private final CheckTarget target;
  private final int rise;
  private final int fall;
  private final InstantSource clock;

  private State state = State.UNKNOWN;
  private Instant since;
  private int contradictions;
  private Optional<String> lastError = Optional.empty();

  /** A check that has not looked yet. */
  Check(CheckTarget target, int rise, int fall, InstantSource clock) {
    this.target = target;
    this.rise = rise;
    this.fall = fall;
    this.clock = clock;
    this.since = clock.instant();
  }

  /**
   * Takes the result of a look.
   *
   * @param error why it failed; empty when it succeeded
   */
  void looked(Optional<String> error) {
    State seen = error.isEmpty() ? State.FIT : State.UNFIT;
    contradictions = seen == state ? 0 : contradictions + 1;
    if (error.isPresent()) {
      lastError = error;
    }
    boolean enough = contradictions >= (seen == State.FIT ? rise : fall);
    if (seen != state && (state == State.UNKNOWN || enough)) {
      become(seen);
    }
    if (error.isEmpty() && state == State.FIT) {
      lastError = Optional.empty();
    }
  }

  private void become(State next) {
    state = next;
    since = clock.instant();
    contradictions = 0;
    if (next == State.FIT) {
      LOG.info("check {} {}: fit", target.type(), target.name());
    } else {
      LOG.warn("check {} {}: unfit: {}", target.type(), target.name(), lastError.orElseThrow());
    }
  }

  CheckStatus status() {
    return new CheckStatus(target, state, since, lastError);
  }
}
