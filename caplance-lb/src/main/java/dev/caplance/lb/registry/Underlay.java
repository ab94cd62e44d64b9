package dev.caplance.lb.registry;

import dev.caplance.session.SanityDatagram;
import java.net.InetAddress;

/** The network between the load balancer and its backends' data addresses. */
interface Underlay {

  /**
   * The way to a data address.
   *
   * @param source where packets will come from
   * @param mtu bytes of the largest packet that the first link takes
   */
  record Route(InetAddress source, int mtu) {}

  /**
   * The way to a data address, as things stand now.
   *
   * @throws RefusedException when no packets may or can go there
   */
  Route routeTo(InetAddress dataAddress) throws RefusedException;

  /** Sends a datagram to the data port of an address. That it does not arrive is no error. */
  void send(InetAddress dataAddress, SanityDatagram datagram);
}
