package dev.caplance.lb.preflight;

import dev.caplance.host.Interfaces;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * Checks that there is an interface for each VIP.
 *
 * @param interfaceName the configured one, if any
 */
public record VipNetworks(List<InetAddress> vips, Optional<String> interfaceName) {

  /** Checks; empty if nothing is wrong. */
  public List<Finding> findings(Interfaces interfaces) {
    if (interfaceName.isPresent()) {
      String name = interfaceName.get();
      return interfaces.named(name).isPresent()
          ? List.of()
          : List.of(
              Finding.stops(
                  "there is no network interface '" + name + "'",
                  "this machine has " + String.join(", ", interfaces.names()),
                  "set interface in lb.yaml to one of these"));
    }
    return vips.stream()
        .distinct()
        .filter(vip -> interfaces.all().stream().noneMatch(i -> i.hasNeighboursOf(vip)))
        .map(vip -> noNetwork(vip, interfaces))
        .toList();
  }

  private static Finding noNetwork(InetAddress vip, Interfaces interfaces) {
    return Finding.stops(
        "the VIP " + IpAddresses.format(vip) + " is not in any network of this machine",
        interfaces.describe(),
        "in lb.yaml, correct the VIP, set interface, or set attachVip: false if packets are routed here");
  }
}
