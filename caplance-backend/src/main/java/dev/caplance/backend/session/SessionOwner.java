package dev.caplance.backend.session;

import java.net.InetAddress;

/** Is told, on its thread, of the beginning and the end of a {@link Session}. */
interface SessionOwner {

  /**
   * The load balancer has registered this backend.
   *
   * @param from where its encapsulated packets come from
   * @param legacy whether it is configured as one of 2019, or has turned out to be one
   */
  void registered(InetAddress from, boolean legacy);

  /** The session is over. */
  void ended(String reason);

  /** Who is told what happens in between. */
  SessionNews news();
}
