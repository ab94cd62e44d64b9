package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import java.net.InetAddress;

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

  /** Something is wrong, but the session goes on. */
  void troubled(String problem);

  /** The session is over. */
  void ended(String reason);
}
