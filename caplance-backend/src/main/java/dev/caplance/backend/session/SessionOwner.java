package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;

/** Is told, on its thread, what happens in a {@link Session}. */
interface SessionOwner {

  /**
   * The load balancer has registered this backend.
   *
   * @param from where its encapsulated packets come from
   * @param legacy whether it is configured as one of 2019, or has turned out to be one
   */
  void registered(InetAddress from, boolean legacy);

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

  /** Something is wrong, but the session goes on. */
  void troubled(String problem);

  /** The session is over. */
  void ended(String reason);
}
