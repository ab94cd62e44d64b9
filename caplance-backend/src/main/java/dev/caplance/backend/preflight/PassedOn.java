package dev.caplance.backend.preflight;

import dev.caplance.host.Interfaces;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.firewall.Firewall;
import dev.caplance.preflight.firewall.PacketSample;
import dev.caplance.preflight.firewall.PacketSample.Direction;
import dev.caplance.preflight.firewall.Translation;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks what happens to packets for the VIPs that this machine passes on (DNAT), as to the
 * published port of a container: that it forwards, that the firewall lets them through, and that
 * they are not too large.
 *
 * @param joinSegments whether packets are merged before they are delivered
 * @param forwardsIpv4 and {@code forwardsIpv6}: whether this machine forwards packets at all
 */
public record PassedOn(
    List<InetAddress> vips, boolean joinSegments, boolean forwardsIpv4, boolean forwardsIpv6) {

  /** Checks; empty if nothing is wrong. */
  public List<Finding> findings(Firewall firewall, Interfaces interfaces) {
    List<Finding> findings = new ArrayList<>();
    for (InetAddress vip : vips) {
      for (String protocol : List.of("tcp", "udp")) {
        PacketSample packet = PacketSample.to(vip, protocol, Direction.INCOMING).through("lo");
        firewall.translations(packet).stream()
            .filter(to -> interfaces.with(to.address()).findAny().isEmpty())
            .filter(to -> !to.address().isLoopbackAddress())
            .forEach(to -> findings.addAll(passedOn(vip, protocol, to, firewall)));
      }
    }
    return findings.stream().distinct().toList();
  }

  private List<Finding> passedOn(
      InetAddress vip, String protocol, Translation to, Firewall firewall) {
    String what = "packets for " + IpAddresses.format(vip) + " that are passed on to " + to;
    List<Finding> findings = new ArrayList<>();
    boolean ipv4 = IpAddresses.isIpv4(vip);
    if (!(ipv4 ? forwardsIpv4 : forwardsIpv6)) {
      String key = ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
      findings.add(
          Finding.stops("this machine drops " + what, key + " is 0", "sysctl -w " + key + "=1"));
    }
    PacketSample there = PacketSample.to(to.address(), protocol, Direction.FORWARDED).through("lo");
    PacketSample back = PacketSample.forwardedFrom(to.address(), protocol);
    if (to.port().isPresent()) {
      there = there.port(to.port().getAsInt());
      back = back.fromPort(to.port().getAsInt());
    }
    firewall.blockades(there).stream()
        .map(b -> Finding.stops("a firewall drops " + what, b.where(), b.remedy()))
        .forEach(findings::add);
    firewall.blockades(back).stream()
        .map(b -> Finding.stops("a firewall drops replies to " + what, b.where(), b.remedy()))
        .forEach(findings::add);
    if (joinSegments && protocol.equals("tcp")) {
      findings.add(
          Finding.warns(
              what + " are merged, and may be too large for the link there",
              "joinSegments is true",
              "set joinSegments: false in backend.yaml"));
    }
    return findings;
  }
}
