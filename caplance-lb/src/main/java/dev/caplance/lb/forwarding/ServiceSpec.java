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
 * @param affinity what keeps packets on one backend
 * @param udpWhenUnhealthy what happens to UDP flows whose backend becomes unhealthy
 */
public record ServiceSpec(
    String name,
    InetAddress vip,
    Ports ports,
    boolean legacy,
    WhenAllUnhealthy whenAllUnhealthy,
    WhenEmpty whenEmpty,
    OtherTraffic otherTraffic,
    Affinity affinity,
    UdpWhenUnhealthy udpWhenUnhealthy) {

  /** A service with the usual affinity, whose UDP flows leave unhealthy backends. */
  public ServiceSpec(
      String name,
      InetAddress vip,
      Ports ports,
      boolean legacy,
      WhenAllUnhealthy whenAllUnhealthy,
      WhenEmpty whenEmpty,
      OtherTraffic otherTraffic) {
    this(
        name,
        vip,
        ports,
        legacy,
        whenAllUnhealthy,
        whenEmpty,
        otherTraffic,
        Affinity.FLOW,
        UdpWhenUnhealthy.MOVE);
  }

  /** Which packets go to the same backend. */
  public enum Affinity {
    /** Those of a flow: of the same addresses, ports and protocol. */
    FLOW,
    /** Those of a client: from the same address, whatever its ports. */
    CLIENT
  }

  /** What happens to UDP flows whose backend becomes unhealthy. */
  public enum UdpWhenUnhealthy {
    /** They move to a healthy backend if there is one, and stay there. */
    MOVE,
    /** They stay. */
    STAY
  }

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
