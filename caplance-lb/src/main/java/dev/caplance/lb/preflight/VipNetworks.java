package dev.caplance.lb.preflight;

import static java.util.stream.Collectors.joining;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Interfaces;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * Whether there is an interface for the VIPs.
 *
 * @param interfaceName the configured one, if there is one
 */
public record VipNetworks(List<InetAddress> vips, Optional<String> interfaceName) {

  /** What is wrong. */
  public List<Finding> findings(Interfaces interfaces) {
    if (interfaceName.isPresent()) {
      String name = interfaceName.get();
      return interfaces.all().stream().anyMatch(i -> i.name().equals(name))
          ? List.of()
          : List.of(
              Finding.stops(
                  "there is no interface '" + name + "'",
                  "there are "
                      + interfaces.all().stream()
                          .map(Interfaces.Interface::name)
                          .collect(joining(", ")),
                  "set interface in lb.yaml to one of these"));
    }
    return vips.stream()
        .distinct()
        .filter(vip -> interfaces.all().stream().noneMatch(i -> i.networkHolds(vip)))
        .map(vip -> noNetwork(vip, interfaces))
        .toList();
  }

  private static Finding noNetwork(InetAddress vip, Interfaces interfaces) {
    return Finding.stops(
        "the VIP " + IpAddresses.format(vip) + " is in no network of this machine",
        interfaces.describe(),
        "correct vip, or set interface, or attachVip: false where routes lead here, in lb.yaml");
  }
}
