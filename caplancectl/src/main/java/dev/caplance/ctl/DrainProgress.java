package dev.caplance.ctl;

import dev.caplance.status.BackendDaemonStatus;
import dev.caplance.status.BackendDaemonStatus.Drain;
import dev.caplance.status.BackendDaemonStatus.DrainState;
import java.util.Objects;

/** The progress of a drain from one status of the backend daemon to the next. */
final class DrainProgress {

  private static final Drain NONE = new Drain(null, null, null, null, null);

  private Drain drain = NONE;
  private String news = "";

  /** Takes the next status. */
  void update(BackendDaemonStatus backend) {
    Drain before = drain;
    drain = backend.drain() == null ? NONE : backend.drain();
    // The time to the deadline changes with every status; the connections are what one waits for.
    boolean changed =
        drain.state() != before.state()
            || !Objects.equals(drain.connections(), before.connections())
            || !Objects.equals(drain.udpFlows(), before.udpFlows());
    news =
        changed
            ? Words.known(backend.name())
                + " is "
                + Words.known(backend.intent())
                + ": "
                + Words.known(drain.text())
                + "\n"
            : "";
  }

  /** A line when the last status brought a change to show; otherwise empty. */
  String news() {
    return news;
  }

  /** Whether the drain is over, or there is none. */
  boolean ended() {
    return drain.state() != DrainState.DRAINING;
  }

  /** Whether it ended as intended, and not because of another command. */
  boolean drained() {
    return drain.state() == DrainState.DRAINED || drain.state() == DrainState.DEADLINE;
  }
}
