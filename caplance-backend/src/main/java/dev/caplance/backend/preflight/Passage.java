package dev.caplance.backend.preflight;

import dev.caplance.host.Interfaces;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.firewall.Firewall;
import dev.caplance.preflight.firewall.Firewall.Blockade;
import dev.caplance.preflight.firewall.PacketSample;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Checks that the firewall passes registrations, packets from the load balancers to the data port,
 * decapsulated packets on {@code lo}, and the replies to clients.
 *
 * @param loadBalancers where this backend registers
 */
public record Passage(
    InetAddress dataAddress,
    int dataPort,
    List<InetSocketAddress> loadBalancers,
    List<InetAddress> vips) {

  /** Checks; empty if nothing is wrong. */
  public List<Finding> findings(Firewall firewall, Interfaces interfaces) {
    Optional<String> device =
        interfaces.with(dataAddress).findFirst().map(Interfaces.Interface::name);
    List<Finding> findings = new ArrayList<>();
    for (InetSocketAddress loadBalancer : loadBalancers) {
      PacketSample registration =
          PacketSample.to(loadBalancer.getAddress(), "tcp", PacketSample.Direction.OUTGOING)
              .port(loadBalancer.getPort());
      findings.addAll(
          stops(
              "a firewall blocks the way to the load balancer " + IpAddresses.format(loadBalancer),
              firewall.blockades(registration)));
      findings.addAll(data(loadBalancer.getAddress(), device, firewall));
    }
    vips.forEach(vip -> findings.addAll(ofVip(vip, firewall)));
    return findings;
  }

  private List<Finding> data(InetAddress loadBalancer, Optional<String> device, Firewall firewall) {
    if (IpAddresses.isIpv4(loadBalancer) != IpAddresses.isIpv4(dataAddress)) {
      return List.of();
    }
    PacketSample packet =
        PacketSample.to(dataAddress, "udp", PacketSample.Direction.INCOMING)
            .port(dataPort)
            .from(loadBalancer);
    List<Finding> findings =
        new ArrayList<>(
            stops(
                "a firewall blocks UDP port " + dataPort,
                firewall.blockades(device.map(packet::through).orElse(packet))));
    PacketSample answer =
        PacketSample.to(loadBalancer, "udp", PacketSample.Direction.OUTGOING)
            .fromPort(dataPort)
            .from(dataAddress)
            .in(PacketSample.State.ESTABLISHED);
    firewall.blockades(answer).stream()
        .map(
            blockade ->
                Finding.warns(
                    "a firewall drops this backend's answers to path probes",
                    blockade.where(),
                    blockade.remedy()))
        .forEach(findings::add);
    return findings;
  }

  private static List<Finding> ofVip(InetAddress vip, Firewall firewall) {
    String text = IpAddresses.format(vip);
    List<Finding> findings = new ArrayList<>();
    for (String protocol : List.of("tcp", "udp")) {
      for (PacketSample.Direction direction : PacketSample.Direction.values()) {
        PacketSample sample = PacketSample.to(vip, protocol, direction).through("lo");
        List<Blockade> blockades = firewall.blockades(sample);
        findings.addAll(
            stops("a firewall drops decapsulated packets for " + text + " on lo", blockades));
        firewall.blockades(sample.in(PacketSample.State.INVALID)).stream()
            .filter(blockade -> !blockades.contains(blockade))
            .map(
                blockade ->
                    Finding.warns(
                        "a firewall drops decapsulated packets for "
                            + text
                            + " on lo if their conntrack state is INVALID",
                        blockade.where(),
                        blockade.remedy()))
            .forEach(findings::add);
      }
      findings.addAll(
          stops(
              "a firewall drops replies from " + text,
              firewall.blockades(PacketSample.replyFrom(vip, protocol))));
    }
    return findings.stream().distinct().toList();
  }

  private static List<Finding> stops(String what, List<Blockade> blockades) {
    return blockades.stream()
        .map(blockade -> Finding.stops(what, blockade.where(), blockade.remedy()))
        .toList();
  }
}
