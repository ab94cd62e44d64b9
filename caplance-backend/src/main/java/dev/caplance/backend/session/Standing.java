package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * What a load balancer takes this backend for, by what it was told in a session, and the lines that
 * make it something else.
 *
 * <p>A load balancer of 2019 knows active and paused only, and has every backend active from
 * REGISTER on. When it is to take a backend out of its table that is not there, it takes out
 * another one instead: a neighbour. So it must never be told PAUSE twice; and as it takes out
 * whoever deregisters or whose session ends, a paused backend has to be put back before, with
 * RESUME.
 */
final class Standing {

  private final String name;
  private boolean legacy;
  private Intent told;

  /**
   * In a session that is about to begin.
   *
   * @param name of the backend
   * @param legacy whether the load balancer is known to be one of 2019
   * @param intent that REGISTER will announce
   */
  Standing(String name, boolean legacy, BackendIntent intent) {
    this.name = name;
    this.legacy = legacy;
    this.told = inSession(intent);
  }

  /** What the load balancer was told last. */
  Intent told() {
    return told;
  }

  /** Whether the load balancer is one of 2019. */
  boolean legacy() {
    return legacy;
  }

  /** The load balancer has shown that it is one of 2019, and cannot have read the announcement. */
  void showedToBeLegacy() {
    legacy = true;
    told = Intent.ACTIVE;
  }

  /** The lines to say, none when nothing changes. */
  List<Message> become(BackendIntent intent) {
    Intent wanted = inSession(intent);
    List<Message> lines = new ArrayList<>();
    if (wanted.compareTo(told) < 0) {
      lines.add(new Message.Resume(name));
      told = Intent.ACTIVE;
    }
    if (wanted.compareTo(told) > 0) {
      lines.add(wanted == Intent.PAUSED ? new Message.Pause(name) : new Message.Drain(name));
      told = wanted;
    }
    return lines;
  }

  /** The lines to say so that the end of the session does no harm; usually none. */
  List<Message> beforeTheEnd() {
    return legacy ? become(BackendIntent.ACTIVE) : List.of();
  }

  /** The lines to say for leaving. */
  List<Message> leave() {
    List<Message> lines = new ArrayList<>(beforeTheEnd());
    lines.add(new Message.Deregister(name));
    return lines;
  }

  private Intent inSession(BackendIntent intent) {
    return switch (intent) {
      case ACTIVE -> Intent.ACTIVE;
      case DRAINING -> legacy ? Intent.PAUSED : Intent.DRAINING;
      case PAUSED -> Intent.PAUSED;
      case DEREGISTERED -> throw new IllegalArgumentException("no session is for " + intent);
    };
  }
}
