package dev.caplance.lb.forwarding;

import dev.caplance.packet.Ports;
import java.net.InetAddress;

/**
 * A service as configured: all ports of a virtual IP address, or some. No two services share a port
 * of a VIP.
 *
 * @param name distinct
 * @param vip the virtual IP address, IPv4 or IPv6
 * @param ports the ports of TCP and UDP that belong to it
 * @param legacy whether 2019 backends serve it; true for at most one service
 * @param whenAllUnhealthy what happens to new flows when all backends are unhealthy or draining
 * @param whenEmpty what happens to new flows when there is no backend for them
 * @param otherTraffic what happens to packets for the VIP that belong to no service; the same in
 *     all services of a VIP
 */
public record ServiceSpec(
    String name,
    InetAddress vip,
    Ports ports,
    boolean legacy,
    WhenAllUnhealthy whenAllUnhealthy,
    WhenEmpty whenEmpty,
    OtherTraffic otherTraffic) {

  /** What happens to new flows when there are backends but none is active and healthy. */
  public enum WhenAllUnhealthy {
    /** They go to the unhealthy backends, or to the draining ones if there are no others. */
    FORWARD,
    /** They are treated as if there were no backend. */
    REJECT
  }

  /** What happens to new flows when there is no backend for them. */
  public enum WhenEmpty {
    /** The client gets a TCP reset or an ICMP port unreachable. */
    REJECT,
    /** They are dropped. */
    DROP
  }

  /** What happens to packets for a VIP that belong to none of its services. */
  public enum OtherTraffic {
    /** They are dropped and counted. */
    DROP,
    /** They are left to the host of the load balancer. */
    HOST
  }
}
