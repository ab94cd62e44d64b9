package dev.caplance.lb.preflight;

import dev.caplance.host.Interfaces;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.firewall.Firewall;
import dev.caplance.preflight.firewall.Firewall.Blockade;
import dev.caplance.preflight.firewall.PacketSample;
import dev.caplance.preflight.firewall.PacketSample.Direction;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Checks that the firewall passes clients' packets as far as the load balancer takes them, what it
 * sends to backends, and what they send to it.
 *
 * @param sessions where backends register; the unspecified address for all
 * @param dataPort of the backends
 * @param interfaceName where clients' packets arrive, if it is configured
 */
public record Passage(
    List<InetAddress> vips,
    InetSocketAddress sessions,
    int dataPort,
    Optional<String> interfaceName) {

  private static final InetAddress ANY_IPV4 = IpAddresses.parse("0.0.0.0");
  private static final InetAddress ANY_IPV6 = IpAddresses.parse("::");

  /** Checks; empty if nothing is wrong. */
  public List<Finding> findings(Firewall firewall, Interfaces interfaces) {
    List<Finding> findings = new ArrayList<>();
    vips.stream().distinct().forEach(vip -> findings.addAll(ofVip(vip, firewall, interfaces)));
    PacketSample registration =
        PacketSample.to(sessions.getAddress(), "tcp", Direction.INCOMING).port(sessions.getPort());
    findings.addAll(
        stops(
            "a firewall blocks TCP port " + sessions.getPort() + ", where backends register",
            firewall.blockades(registration)));
    findings.addAll(
        stops(
            "a firewall keeps packets from the backends' UDP port " + dataPort,
            firewall.blockades(toBackends(ANY_IPV4))));
    if (!IpAddresses.isIpv4(sessions.getAddress())) {
      findings.addAll(
          warns(
              "a firewall keeps packets from UDP port " + dataPort + " of backends with IPv6",
              firewall.blockades(toBackends(ANY_IPV6))));
    }
    PacketSample answer =
        PacketSample.to(ANY_IPV4, "udp", Direction.INCOMING)
            .fromPort(dataPort)
            .in(PacketSample.State.ESTABLISHED);
    findings.addAll(
        warns(
            "a firewall drops the backends' answers to path probes, from UDP port " + dataPort,
            firewall.blockades(answer)));
    return findings;
  }

  private List<Finding> ofVip(InetAddress vip, Firewall firewall, Interfaces interfaces) {
    Optional<String> device =
        interfaceName.or(
            () ->
                interfaces.all().stream()
                    .filter(each -> each.hasNeighboursOf(vip))
                    .map(Interfaces.Interface::name)
                    .findFirst());
    List<Finding> findings = new ArrayList<>();
    for (String protocol : List.of("tcp", "udp")) {
      PacketSample packet = PacketSample.to(vip, protocol, Direction.ARRIVING);
      findings.addAll(
          stops(
              "a firewall drops packets for "
                  + IpAddresses.format(vip)
                  + " before the load balancer takes them",
              firewall.blockades(device.map(packet::through).orElse(packet))));
    }
    return findings.stream().distinct().toList();
  }

  private PacketSample toBackends(InetAddress any) {
    return PacketSample.to(any, "udp", Direction.OUTGOING).port(dataPort);
  }

  private static List<Finding> stops(String what, List<Blockade> blockades) {
    return blockades.stream().map(b -> Finding.stops(what, b.where(), b.remedy())).toList();
  }

  private static List<Finding> warns(String what, List<Blockade> blockades) {
    return blockades.stream().map(b -> Finding.warns(what, b.where(), b.remedy())).toList();
  }
}
