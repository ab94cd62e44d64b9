package dev.caplance.backend.preflight;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Interfaces;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether addresses are where they belong, and packets for them fit.
 *
 * @param dataAddress where encapsulated packets come to
 * @param mtu the configured one, if there is one
 * @param vipsAttached whether the VIPs should be there now; otherwise the daemon is going to add
 *     them
 */
public record Placement(
    InetAddress dataAddress, List<InetAddress> vips, Optional<Integer> mtu, boolean vipsAttached) {

  /** A header of IPv4 or IPv6, and one of UDP. */
  private static final int IPV4_OVERHEAD = 28;

  private static final int IPV6_OVERHEAD = 48;

  /** What every link must carry: RFC 791, RFC 8200. */
  private static final int IPV4_LEAST = 576;

  private static final int IPV6_LEAST = 1280;

  /** What is wrong. */
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
                    "neighbours would send its packets here, past the load balancer",
                    "ip address delete "
                        + device.addresses().stream()
                            .filter(a -> a.address().equals(vip))
                            .map(Interfaces.Assigned::cidr)
                            .findFirst()
                            .orElseThrow()
                        + " dev "
                        + device.name()))
        .toList();
  }

  private static Finding missing(InetAddress vip) {
    String text = IpAddresses.format(vip);
    return Finding.stops(
        "the VIP " + text + " is missing on lo",
        "ip address show",
        IpAddresses.isIpv4(vip)
            ? "ip address add " + text + "/32 dev lo"
            : "ip address add " + text + "/128 dev lo nodad preferred_lft 0");
  }

  private Finding noDataAddress(Interfaces interfaces) {
    return Finding.stops(
        "the address " + IpAddresses.format(dataAddress) + " is not on this machine",
        interfaces.describe(),
        "set address in backend.yaml to one of these");
  }

  private Optional<Finding> tooSmall(int outer, Optional<Interfaces.Interface> device) {
    int overhead = IpAddresses.isIpv4(dataAddress) ? IPV4_OVERHEAD : IPV6_OVERHEAD;
    boolean ipv6 = !vips.stream().allMatch(IpAddresses::isIpv4);
    int least = (ipv6 ? IPV6_LEAST : IPV4_LEAST) + overhead;
    if (outer >= least) {
      return Optional.empty();
    }
    String where = device.map(d -> d.name() + " has " + d.mtu()).orElse("of the configuration");
    return Optional.of(
        Finding.stops(
            "the MTU " + outer + " is too small for " + (ipv6 ? "IPv6" : "IPv4") + " VIPs",
            where + "; packets of " + (least - overhead) + " bytes are wrapped into " + overhead,
            mtu.isPresent() || device.isEmpty()
                ? "set mtu in backend.yaml to " + least + " or more"
                : "ip link set dev " + device.get().name() + " mtu " + least));
  }
}
