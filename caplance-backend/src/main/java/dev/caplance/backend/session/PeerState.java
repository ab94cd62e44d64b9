package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * What one load balancer believes about this backend, going by what it was told in this session,
 * and the lines that change its mind.
 *
 * <p>A load balancer of 2019 knows active and paused only, and holds every backend active from
 * REGISTER on. If it is to remove a backend from its table that is not in it, it removes another
 * one instead: a neighbour. So it must never be told PAUSE twice. It also removes any backend that
 * deregisters or whose session ends, so a paused backend must first be put back, with RESUME. What
 * HEALTH says means nothing to it, so an unhealthy backend has to pause.
 */
final class PeerState {

  private final String name;
  private final boolean pauseWhenUnhealthy;
  private boolean legacy;
  private boolean healthy;
  private Intent told;

  /**
   * For a session that is about to begin.
   *
   * @param name of the backend
   * @param intent that REGISTER will announce
   * @param healthy whether the backend is
   */
  PeerState(String name, LoadBalancerAddress peer, BackendIntent intent, boolean healthy) {
    this.name = name;
    this.pauseWhenUnhealthy = peer.pauseWhenUnhealthy();
    this.legacy = peer.legacy();
    this.healthy = healthy;
    this.told = inSession(intent);
  }

  /** The intent that the load balancer was told last. */
  Intent told() {
    return told;
  }

  /** Whether the load balancer is one of 2019. */
  boolean legacy() {
    return legacy;
  }

  /** The load balancer has turned out to be one of 2019, so it ignored the intent in REGISTER. */
  void becomeLegacy() {
    legacy = true;
    told = Intent.ACTIVE;
  }

  /** Whether the backend is healthy from now on. */
  void health(boolean isHealthy) {
    healthy = isHealthy;
  }

  /** Whether it is paused there because it is unhealthy. */
  boolean pausesUnhealthy() {
    return legacy && pauseWhenUnhealthy && !healthy;
  }

  /** The lines that tell an intent; none if it was told already. */
  List<Message> become(BackendIntent intent) {
    return become(inSession(intent));
  }

  private List<Message> become(Intent wanted) {
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

  /** The lines to send so that the end of the session does no harm; usually none. */
  List<Message> beforeTheEnd() {
    return legacy ? become(Intent.ACTIVE) : List.of();
  }

  /** The lines to send in order to leave. */
  List<Message> leave() {
    List<Message> lines = new ArrayList<>(beforeTheEnd());
    lines.add(new Message.Deregister(name));
    return lines;
  }

  private Intent inSession(BackendIntent intent) {
    return switch (intent) {
      case ACTIVE -> pausesUnhealthy() ? Intent.PAUSED : Intent.ACTIVE;
      case DRAINING -> legacy ? Intent.PAUSED : Intent.DRAINING;
      case PAUSED -> Intent.PAUSED;
      case DEREGISTERED -> throw new IllegalArgumentException("no session is for " + intent);
    };
  }
}
