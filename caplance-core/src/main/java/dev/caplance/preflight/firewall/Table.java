package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpAddresses;
import java.util.Map;
import java.util.Optional;

/**
 * The chains of one table. A packet is dropped when one table drops it, whatever the others say.
 *
 * @param tool what manages it: {@code nft}, or a variant of {@code iptables}
 * @param family {@code ip}, {@code ip6} or {@code inet}
 */
record Table(String tool, String family, String name, Map<String, Chain> chains) {

  Table {
    chains = Map.copyOf(chains);
  }

  /** What is sure to drop a packet; empty when nothing is. */
  Optional<Blockade> findBlockade(PacketSample probe) {
    if (family.equals(probe.ipv4() ? "ip6" : "ip")) {
      return Optional.empty();
    }
    return chains.values().stream()
        .filter(chain -> probe.meets(chain.hook()))
        .flatMap(
            chain ->
                new Walk(this, probe)
                        .findDrop(chain)
                        .map(rule -> new Blockade(describe(chain, rule), acceptance(chain, probe)))
                        .stream())
        .findFirst();
  }

  private String describe(Chain chain, String rule) {
    return isNft()
        ? "nft " + family + " " + name + " " + chain.name() + ": " + rule
        : tool
            + " "
            + (name.equals("filter") ? "" : "-t " + name + " ")
            + chain.name()
            + ": "
            + rule;
  }

  private String acceptance(Chain chain, PacketSample probe) {
    return isNft() ? nftRule(chain, probe) : iptablesRule(chain, probe);
  }

  private boolean isNft() {
    return tool.equals("nft");
  }

  private String iptablesRule(Chain chain, PacketSample probe) {
    StringBuilder rule = new StringBuilder(tool);
    rule.append(name.equals("filter") ? "" : " -t " + name).append(" -I ").append(chain.name());
    probe.destinationPort().ifPresent(port -> rule.append(" -p ").append(probe.protocol()));
    String device = probe.way() == PacketSample.Way.ARRIVES ? " -i " : " -o ";
    probe.device().filter(d -> d.equals("lo")).ifPresent(d -> rule.append(device).append(d));
    probe.source().ifPresent(a -> rule.append(" -s ").append(IpAddresses.format(a)));
    if (probe.device().isPresent() && probe.source().isEmpty()) {
      probe.destination().ifPresent(a -> rule.append(" -d ").append(IpAddresses.format(a)));
    }
    probe.destinationPort().ifPresent(port -> rule.append(" --dport ").append(port));
    return rule.append(" -j ACCEPT").toString();
  }

  private String nftRule(Chain chain, PacketSample probe) {
    StringBuilder rule = new StringBuilder("nft insert rule ");
    rule.append(family).append(' ').append(name).append(' ').append(chain.name());
    String device = probe.way() == PacketSample.Way.ARRIVES ? " iifname " : " oifname ";
    probe.device().filter(d -> d.equals("lo")).ifPresent(d -> rule.append(device).append(d));
    String ip = probe.ipv4() ? " ip " : " ip6 ";
    probe.source().ifPresent(a -> rule.append(ip).append("saddr ").append(IpAddresses.format(a)));
    if (probe.device().isPresent() && probe.source().isEmpty()) {
      probe
          .destination()
          .ifPresent(a -> rule.append(ip).append("daddr ").append(IpAddresses.format(a)));
    }
    probe
        .destinationPort()
        .ifPresent(p -> rule.append(' ').append(probe.protocol()).append(" dport ").append(p));
    return rule.append(" accept").toString();
  }
}
