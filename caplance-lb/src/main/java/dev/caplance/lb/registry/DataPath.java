package dev.caplance.lb.registry;

import dev.caplance.session.SanityDatagram;
import java.net.InetAddress;
import java.util.Set;

/** The network between the load balancer and its backends' data addresses. */
interface DataPath {

  /**
   * The route to a data address.
   *
   * @param source where packets will come from
   * @param mtu bytes of the largest packet that the first link takes
   */
  record Route(InetAddress source, int mtu) {}

  /**
   * The route to a data address at this moment.
   *
   * @param vips addresses that are no data addresses
   * @throws RefusedException when no packets may or can go there
   */
  Route routeTo(InetAddress dataAddress, Set<InetAddress> vips) throws RefusedException;

  /** Sends a datagram to the data port of an address. Its loss is no error. */
  void send(InetAddress dataAddress, SanityDatagram datagram);
}
