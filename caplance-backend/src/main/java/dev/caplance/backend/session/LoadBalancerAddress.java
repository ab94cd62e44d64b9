package dev.caplance.backend.session;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Where a load balancer listens for sessions.
 *
 * @param legacy whether it is known to speak the 2019 protocol, which is IPv4 only
 * @param pauseWhenUnhealthy whether this backend pauses there while it is unhealthy, if that is the
 *     only way to get no new flows because the load balancer speaks the 2019 protocol
 */
public record LoadBalancerAddress(
    InetAddress address, int port, boolean legacy, boolean pauseWhenUnhealthy) {

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

  /** One where this backend pauses while it is unhealthy, if need be. */
  public LoadBalancerAddress(InetAddress address, int port, boolean legacy) {
    this(address, port, legacy, true);
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
