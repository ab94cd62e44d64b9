package dev.caplance.backend.preflight;

import dev.caplance.host.Interfaces;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Checks that addresses are on the right interfaces, and that packets for them fit.
 *
 * @param dataAddress where encapsulated packets arrive
 * @param mtu the configured one in bytes, if any
 * @param vipsAttached whether the VIPs should be there now; otherwise the daemon will add them
 */
public record Placement(
    InetAddress dataAddress, List<InetAddress> vips, Optional<Integer> mtu, boolean vipsAttached) {

  /** Packets of this size arrive everywhere: RFC 791, RFC 8200. */
  private static final int IPV4_MIN_MTU = 576;

  private static final int IPV6_MIN_MTU = 1280;

  /** Checks; empty if nothing is wrong. */
  public List<Finding> findings(Interfaces interfaces) {
    List<Finding> findings = new ArrayList<>();
    for (InetAddress vip : vips) {
      findings.addAll(onWrongInterface(vip, interfaces));
      if (vipsAttached && interfaces.with(vip).findAny().isEmpty()) {
        findings.add(missing(vip));
      }
    }
    Optional<Interfaces.Interface> device = interfaces.with(dataAddress).findFirst();
    if (device.isEmpty()) {
      findings.add(noDataAddress(interfaces));
    }
    Optional<Integer> outer = mtu.or(() -> device.map(Interfaces.Interface::mtu));
    outer.flatMap(bytes -> tooSmall(bytes, device)).ifPresent(findings::add);
    return findings;
  }

  private static List<Finding> onWrongInterface(InetAddress vip, Interfaces interfaces) {
    String text = IpAddresses.format(vip);
    return interfaces
        .with(vip)
        .filter(Interfaces.Interface::hasNeighbours)
        .map(
            device ->
                Finding.stops(
                    "the VIP " + text + " is on " + device.name() + " instead of lo",
                    "neighbours would send its packets here, bypassing the load balancer",
                    "ip address delete "
                        + device.addresses().stream()
                            .filter(a -> a.address().equals(vip))
                            .findFirst()
                            .orElseThrow()
                        + " dev "
                        + device.name()))
        .toList();
  }

  private static Finding missing(InetAddress vip) {
    String text = IpAddresses.format(vip);
    return Finding.stops(
        "the VIP " + text + " is missing from lo",
        "ip address show",
        IpAddresses.isIpv4(vip)
            ? "ip address add " + text + "/32 dev lo"
            : "ip address add " + text + "/128 dev lo nodad preferred_lft 0");
  }

  private Finding noDataAddress(Interfaces interfaces) {
    return Finding.stops(
        "this machine does not have the address " + IpAddresses.format(dataAddress),
        interfaces.describe(),
        "set address in backend.yaml to one of these");
  }

  private Optional<Finding> tooSmall(int outer, Optional<Interfaces.Interface> device) {
    int overhead = Encapsulation.overhead(IpAddresses.isIpv4(dataAddress));
    boolean ipv6 = !vips.stream().allMatch(IpAddresses::isIpv4);
    int least = (ipv6 ? IPV6_MIN_MTU : IPV4_MIN_MTU) + overhead;
    if (outer >= least) {
      return Optional.empty();
    }
    String where = device.map(d -> d.name() + " has " + d.mtu()).orElse("configured");
    return Optional.of(
        Finding.stops(
            "the MTU " + outer + " is too small for " + (ipv6 ? "IPv6" : "IPv4") + " VIPs",
            where
                + "; it must carry "
                + (least - overhead)
                + " bytes and "
                + overhead
                + " of encapsulation",
            mtu.isPresent() || device.isEmpty()
                ? "set mtu in backend.yaml to " + least + " or more"
                : "ip link set dev " + device.get().name() + " mtu " + least));
  }
}
