package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import java.time.Duration;
import java.util.List;

/** Is told, on its thread, what a status and a log should say of a {@link Session}. */
interface SessionNews {

  /** The load balancer has acknowledged HEALTH. */
  void acknowledged();

  /** The load balancer's operator has changed this backend's intent there. */
  void operatorSaid(Intent operatorIntent);

  /**
   * The load balancer has taken the VIPs of this backend.
   *
   * @param services how many of its services this backend serves
   * @param unknown names that this backend registered for and that no service there has
   */
  void serving(int services, List<String> unknown);

  /** No path probe has come for so long: the load balancer's packets do not arrive. */
  void pathLost(Duration silence);

  /** Path probes arrive again. */
  void pathRestored();

  /** Being unhealthy, this backend has paused there, or no longer does; only one of 2019. */
  void pausedWhileUnhealthy(boolean paused);

  /** Something is wrong, but the session goes on. */
  void troubled(String problem);
}
