package dev.caplance.lb.registry;

import dev.caplance.session.SanityDatagram;
import java.net.InetAddress;

/** The network between the load balancer and its backends' data addresses. */
interface Underlay {

  /**
   * Where packets to a data address will come from.
   *
   * @throws RefusedException when none may or can go there
   */
  InetAddress sourceFor(InetAddress dataAddress) throws RefusedException;

  /** Sends a datagram to the data port of an address. That it does not arrive is no error. */
  void send(InetAddress dataAddress, SanityDatagram datagram);
}
