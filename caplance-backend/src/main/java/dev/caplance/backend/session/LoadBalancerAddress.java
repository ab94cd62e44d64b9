package dev.caplance.backend.session;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Where a load balancer listens for sessions.
 *
 * @param legacy whether it is known to speak the 2019 protocol, which is IPv4 only
 */
public record LoadBalancerAddress(InetAddress address, int port, boolean legacy) {

  /**
   * @throws IllegalArgumentException if a legacy load balancer has an IPv6 address
   */
  public LoadBalancerAddress {
    if (legacy && !IpAddresses.isIpv4(address)) {
      throw new IllegalArgumentException(
          IpAddresses.format(address)
              + " cannot be a 2019 load balancer: the 2019 protocol is IPv4 only");
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
