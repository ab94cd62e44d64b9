package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.session.SanityDatagram;
import java.net.InetAddress;
import java.util.Set;

/** The network path from the load balancer to its backends' data addresses. */
interface DataPath {

  /**
   * The route to a data address.
   *
   * @param source the local address that packets will be sent from
   * @param mtu bytes of the largest packet that is known to pass on the path
   */
  record Route(InetAddress source, int mtu) {}

  /**
   * Looks up the current route to a data address.
   *
   * @param vips addresses that are not valid as data addresses
   * @throws RefusedException if packets must not or cannot be sent there
   */
  Route routeTo(InetAddress dataAddress, Set<InetAddress> vips) throws RefusedException;

  /** Bytes of the largest packet that is known to pass on the path to a data address. */
  int mtu(InetAddress dataAddress);

  /**
   * Sends a path probe the way that packets go; for the parameters see {@link ProbeSender#probe}.
   */
  boolean probe(Target target, String token, boolean padded);

  /**
   * Sends a datagram to the data port of an address. Failures are not reported, since it may get
   * lost anyway.
   */
  void send(InetAddress dataAddress, SanityDatagram datagram);
}
