package dev.caplance.lb.preflight;

import static java.util.stream.Collectors.toMap;

import dev.caplance.host.Interfaces;
import dev.caplance.host.OwnNetworks;
import dev.caplance.host.VipNeighbours;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Capabilities;
import dev.caplance.preflight.Finding;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Checks that each VIP is an address that no machine needs, this one included, and that no other
 * machine has it.
 *
 * @param attach whether the daemon adds the VIPs; otherwise another machine may well have them
 */
public record Vacancy(List<InetAddress> vips, boolean attach, Optional<String> interfaceName) {

  /** Checks, for which it asks the neighbours; empty if nothing is wrong. */
  public List<Finding> findings(Interfaces interfaces) throws IOException {
    if (!attach || !Capabilities.complete()) {
      return findings(OwnNetworks.list(), Map.of());
    }
    try (VipNeighbours neighbours = new VipNeighbours()) {
      return findings(OwnNetworks.list(), neighbours.holders(absent(interfaces)));
    }
  }

  /** The VIPs that are not on this machine, with the devices on whose links they would be. */
  private Map<InetAddress, String> absent(Interfaces interfaces) {
    return vips.stream()
        .distinct()
        .filter(vip -> interfaces.with(vip).findAny().isEmpty())
        .filter(vip -> device(vip, interfaces).isPresent())
        .collect(toMap(vip -> vip, vip -> device(vip, interfaces).orElseThrow()));
  }

  private Optional<String> device(InetAddress vip, Interfaces interfaces) {
    return interfaces.all().stream()
        .filter(device -> device.hasNeighboursOf(vip))
        .map(Interfaces.Interface::name)
        .filter(name -> interfaceName.map(name::equals).orElse(true))
        .findFirst();
  }

  /**
   * Judges what was found.
   *
   * @param holders the MACs of other machines that have a VIP
   */
  List<Finding> findings(OwnNetworks networks, Map<InetAddress, String> holders) {
    List<Finding> findings = new ArrayList<>();
    for (InetAddress vip : vips.stream().distinct().toList()) {
      String text = IpAddresses.format(vip);
      networks
          .objection(vip)
          .map(
              what ->
                  Finding.stops(
                      text + " cannot be a VIP",
                      "it is " + what,
                      "in lb.yaml, choose an address that no machine uses"))
          .ifPresent(findings::add);
      Optional.ofNullable(holders.get(vip))
          .map(
              mac ->
                  Finding.warns(
                      "another machine has the VIP " + text,
                      mac + " answers for it",
                      "stop the load balancer there, or let keepalived move the VIP and set"
                          + " attachVip: false on both"))
          .ifPresent(findings::add);
    }
    return findings;
  }
}
