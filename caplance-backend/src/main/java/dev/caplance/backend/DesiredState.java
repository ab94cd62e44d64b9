package dev.caplance.backend;

import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.backend.session.SessionSettings;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the configuration wants of this machine and of the load balancers, in the shapes that the
 * parts of the daemon apply. Immutable.
 *
 * @param addresses the VIPs that this machine is to have, each with its device
 * @param sysctls the kernel parameters to set, with their values
 * @param clampedVips the VIPs whose MSS is to fit {@link #mtu}
 * @param sessions what to tell the load balancers
 * @param loadBalancers whom to tell it
 * @param checks of the application
 */
record DesiredState(
    Map<InetAddress, Optional<String>> addresses,
    Map<String, String> sysctls,
    List<InetAddress> clampedVips,
    SessionSettings sessions,
    List<LoadBalancerAddress> loadBalancers,
    List<HealthChecks.Settings> checks) {

  private static final Optional<String> VIP_DEVICE = Optional.of("lo");
  private static final int USUAL_MTU = 1500;

  /**
   * Answer ARP only for addresses of the interface that receives the request, and send requests
   * only from such addresses (Documentation/networking/ip-sysctl.rst): or this machine would take
   * the VIPs over from the load balancer.
   */
  private static final Map<String, String> ARP_RESTRAINT =
      Map.of("net.ipv4.conf.all.arp_ignore", "1", "net.ipv4.conf.all.arp_announce", "2");

  DesiredState {
    addresses = Collections.unmodifiableMap(new LinkedHashMap<>(addresses));
    sysctls = Map.copyOf(sysctls);
    clampedVips = List.copyOf(clampedVips);
    loadBalancers = List.copyOf(loadBalancers);
    checks = List.copyOf(checks);
  }

  /**
   * The state that a configuration wants.
   *
   * @param mtu the largest packet that reaches this machine from the load balancers, in bytes;
   *     empty if unknown
   * @param answersProbes whether path probes can be delivered on this machine
   */
  static DesiredState of(BackendConfig config, OptionalInt mtu, boolean answersProbes) {
    Map<InetAddress, Optional<String>> addresses = new LinkedHashMap<>();
    if (config.attachVip()) {
      config.vips().forEach(vip -> addresses.put(vip, VIP_DEVICE));
    }
    return new DesiredState(
        addresses,
        config.setSysctls() ? ARP_RESTRAINT : Map.of(),
        config.clampMss() ? config.vips() : List.of(),
        new SessionSettings(
            config.name(),
            config.address(),
            config.services(),
            config.weight(),
            atLeastMinimum(mtu),
            config.healthInterval(),
            config.reconnect().initial(),
            config.reconnect().max(),
            config.vips(),
            answersProbes),
        config.loadBalancers(),
        config.checks());
  }

  /** Nothing smaller can be told; {@link MtuWatch} says that such an interface is of no use. */
  private static OptionalInt atLeastMinimum(OptionalInt mtu) {
    return mtu.isPresent()
        ? OptionalInt.of(Math.max(mtu.getAsInt(), Message.Register.MIN_MTU))
        : mtu;
  }

  /** The largest packet that the load balancers may send, encapsulation included, in bytes. */
  int mtu() {
    return sessions.mtu().orElse(USUAL_MTU);
  }

  /** Whether the packets of the load balancers come encapsulated in IPv4. */
  boolean outerIpv4() {
    return IpAddresses.isIpv4(sessions.dataAddress());
  }
}
