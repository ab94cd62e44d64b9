package dev.caplance.backend.session;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * A load balancer to register with.
 *
 * @param address of its TCP socket for sessions
 * @param port of it
 * @param legacy whether it is known to speak the protocol of 2019, which has IPv4 only
 */
public record LoadBalancer(InetAddress address, int port, boolean legacy) {

  public LoadBalancer {
    if (legacy && !IpAddresses.isIpv4(address)) {
      throw new IllegalArgumentException(
          IpAddresses.format(address) + " cannot be a load balancer of 2019: those have IPv4 only");
    }
  }

  InetSocketAddress socketAddress() {
    return new InetSocketAddress(address, port);
  }

  /** As operators write it: {@code 10.0.0.2:1338} or {@code [2001:db8::2]:1338}. */
  @Override
  public String toString() {
    return IpAddresses.format(socketAddress());
  }
}
