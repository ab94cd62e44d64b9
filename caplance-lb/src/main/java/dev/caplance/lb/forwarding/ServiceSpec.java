package dev.caplance.lb.forwarding;

import dev.caplance.packet.Ports;
import java.net.InetAddress;

/**
 * A service as the configuration wants it: all or some ports of a virtual IP address. No two
 * services have a port of a VIP in common.
 *
 * @param name distinct
 * @param legacy whether backends that speak the 2019 protocol serve it (at most one service does)
 * @param otherTraffic the same for all services of a VIP
 */
public record ServiceSpec(
    String name,
    InetAddress vip,
    Ports ports,
    boolean legacy,
    WhenAllUnhealthy whenAllUnhealthy,
    WhenEmpty whenEmpty,
    OtherTraffic otherTraffic) {

  /** What becomes of new flows when no backend takes them, but some are registered. */
  public enum WhenAllUnhealthy {
    /**
     * They are spread over the unhealthy backends; over draining ones only if there is no other.
     */
    FORWARD,
    /** They are treated as if there were no backend. */
    REJECT
  }

  /** What becomes of new flows when there is no backend for them. */
  public enum WhenEmpty {
    /** The client is told: by a TCP reset or ICMP port unreachable. */
    REJECT,
    /** They are dropped. */
    DROP
  }

  /** What becomes of packets for a VIP that belong to none of its services. */
  public enum OtherTraffic {
    /** They are dropped and counted. */
    DROP,
    /** The load balancer's own host gets them. */
    HOST
  }
}
