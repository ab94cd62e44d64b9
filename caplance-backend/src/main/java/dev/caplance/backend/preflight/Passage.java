package dev.caplance.backend.preflight;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Interfaces;
import dev.caplance.preflight.firewall.Blockade;
import dev.caplance.preflight.firewall.Firewall;
import dev.caplance.preflight.firewall.PacketSample;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether the firewall lets packets through: from the load balancers to the data port, unwrapped
 * ones over {@code lo}, and the answers.
 */
public record Passage(
    InetAddress dataAddress,
    int dataPort,
    List<InetAddress> loadBalancers,
    List<InetAddress> vips) {

  private static final String BY_FIREWALL = " by a firewall";

  /** What is wrong. */
  public List<Finding> findings(Firewall firewall, Interfaces interfaces) {
    Optional<String> device =
        interfaces.with(dataAddress).findFirst().map(Interfaces.Interface::name);
    List<Finding> findings = new ArrayList<>();
    for (InetAddress loadBalancer : loadBalancers) {
      if (IpAddresses.isIpv4(loadBalancer) == IpAddresses.isIpv4(dataAddress)) {
        PacketSample probe =
            PacketSample.to(dataAddress, "udp", PacketSample.Way.ARRIVES)
                .port(dataPort)
                .from(loadBalancer);
        String what = "UDP " + dataPort + " is shut" + BY_FIREWALL;
        findings.addAll(stops(what, firewall.blockades(device.map(probe::through).orElse(probe))));
      }
    }
    vips.forEach(vip -> findings.addAll(ofVip(vip, firewall)));
    return findings;
  }

  private static List<Finding> ofVip(InetAddress vip, Firewall firewall) {
    String text = IpAddresses.format(vip);
    List<Finding> findings = new ArrayList<>();
    for (String protocol : List.of("tcp", "udp")) {
      for (PacketSample.Way way : PacketSample.Way.values()) {
        PacketSample probe = PacketSample.to(vip, protocol, way).through("lo");
        List<Blockade> blockades = firewall.blockades(probe);
        findings.addAll(
            stops("unwrapped packets for " + text + " are dropped on lo" + BY_FIREWALL, blockades));
        firewall.blockades(probe.in(PacketSample.State.INVALID)).stream()
            .filter(blockade -> !blockades.contains(blockade))
            .map(
                blockade ->
                    Finding.warns(
                        "unwrapped packets for "
                            + text
                            + " in conntrack state INVALID are dropped on lo"
                            + BY_FIREWALL,
                        blockade.where(),
                        blockade.remedy()))
            .forEach(findings::add);
      }
      findings.addAll(
          stops(
              "the answers from " + text + " are dropped" + BY_FIREWALL,
              firewall.blockades(PacketSample.answerFrom(vip, protocol))));
    }
    return findings.stream().distinct().toList();
  }

  private static List<Finding> stops(String what, List<Blockade> blockades) {
    return blockades.stream()
        .map(blockade -> Finding.stops(what, blockade.where(), blockade.remedy()))
        .toList();
  }
}
