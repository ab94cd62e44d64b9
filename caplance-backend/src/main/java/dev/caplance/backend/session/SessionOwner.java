package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import java.net.InetAddress;

/** Who has a {@link Session}; told on its thread what becomes of it. */
interface SessionOwner {

  /**
   * The load balancer counts on this backend.
   *
   * @param from where it sends packets from
   * @param legacy whether it has shown itself as one of 2019, or is configured as one
   */
  void registered(InetAddress from, boolean legacy);

  /** The load balancer has heard HEALTH. */
  void acknowledged();

  /** The load balancer's operator has made this of the backend. */
  void operatorSaid(Intent operatorIntent);

  /** Something is wrong, but the session goes on. */
  void troubled(String problem);

  /** The session is over. */
  void ended(String reason);
}
