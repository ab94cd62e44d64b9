package dev.caplance.backend.session;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;

/**
 * What all sessions of this backend have in common. Load balancers of 2019 ignore services, weight
 * and MTU.
 *
 * @param name that the load balancers know this backend by, see {@link Message.Register}
 * @param dataAddress that encapsulated packets are sent to
 * @param services the names of those it serves, distinct; empty for all
 * @param weight its share of new flows in proportion to others, 1 to 256
 * @param mtu the size of the largest packet, encapsulation included, that reaches it, 576 to 65535
 *     bytes; empty if unknown
 * @param healthInterval between two HEALTH lines, within the bounds of {@link Message.Register}
 * @param reconnectInitial the first pause before a lost session is tried again
 * @param reconnectMax the longest such pause
 * @param vips that it serves, distinct
 * @param answersProbes whether path probes can be delivered here, and so be answered
 */
public record SessionSettings(
    String name,
    InetAddress dataAddress,
    List<String> services,
    int weight,
    OptionalInt mtu,
    Duration healthInterval,
    Duration reconnectInitial,
    Duration reconnectMax,
    List<InetAddress> vips,
    boolean answersProbes) {

  private static final int DEFAULT_WEIGHT = 1;

  /** A third of the time after which a load balancer of 2019 gives up on a silent backend. */
  private static final Duration MAX_LEGACY_HEALTH_INTERVAL = Duration.ofSeconds(10);

  /**
   * @throws IllegalArgumentException if the protocol does not allow one of the values
   */
  public SessionSettings {
    services = List.copyOf(services);
    vips = List.copyOf(vips);
    Message.Register register =
        Message.Register.of(name, dataAddress, healthInterval, Intent.DRAINING);
    MessageCodec.format(withOffer(register, services, weight, mtu));
    if (reconnectInitial.isNegative()
        || reconnectInitial.isZero()
        || reconnectInitial.compareTo(reconnectMax) > 0) {
      throw new IllegalArgumentException(
          "the pause before reconnecting cannot grow from "
              + reconnectInitial
              + " to "
              + reconnectMax);
    }
  }

  /** The interval between HEALTH lines to a load balancer that is legacy, or is not. */
  Duration healthInterval(boolean legacy) {
    return legacy && healthInterval.compareTo(MAX_LEGACY_HEALTH_INTERVAL) > 0
        ? MAX_LEGACY_HEALTH_INTERVAL
        : healthInterval;
  }

  /** The line that asks a load balancer to register this backend. */
  Message.Register register(boolean legacy, Intent intent) {
    Message.Register register =
        withOffer(
            Message.Register.of(name, dataAddress, healthInterval(legacy), intent),
            services,
            weight,
            mtu);
    return answersProbes && !legacy ? register.withProbe() : register;
  }

  /** Defaults need not be said. */
  private static Message.Register withOffer(
      Message.Register register, List<String> services, int weight, OptionalInt mtu) {
    Message.Register more = register.withServices(new LinkedHashSet<>(services));
    if (weight != DEFAULT_WEIGHT) {
      more = more.withWeight(weight);
    }
    return mtu.isPresent() ? more.withMtu(mtu.getAsInt()) : more;
  }

  /** Whether a load balancer need not be told anew when these settings replace the others. */
  boolean registersLike(SessionSettings other) {
    return vips.equals(other.vips)
        && register(false, Intent.ACTIVE).equals(other.register(false, Intent.ACTIVE));
  }

  /**
   * Checks that a load balancer can send to this backend.
   *
   * @throws IllegalArgumentException if it cannot
   */
  void requireReachableFrom(LoadBalancerAddress loadBalancer) {
    if (loadBalancer.legacy() && !IpAddresses.isIpv4(dataAddress)) {
      throw new IllegalArgumentException(
          "a 2019 load balancer cannot send to "
              + IpAddresses.format(dataAddress)
              + ": the 2019 protocol is IPv4 only");
    }
  }
}
