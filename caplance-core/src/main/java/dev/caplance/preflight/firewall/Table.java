package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.firewall.Firewall.Blockade;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The chains of one table. A packet that one table drops is dropped, whatever the others say.
 *
 * @param tool what manages it: {@code nft}, or a variant of {@code iptables}
 * @param family {@code ip}, {@code ip6} or {@code inet}
 */
record Table(String tool, String family, String name, Map<String, Chain> chains) {

  /**
   * Rules in their order.
   *
   * @param hook where the kernel calls it, such as {@code input}; empty if only other chains do, or
   *     if only the first packet of a connection traverses it
   * @param priority among the chains of the hook; smaller ones come first
   * @param devices whose packets alone it sees; empty for those of all
   * @param drops whether a packet that reaches the end is dropped
   */
  record Chain(
      String name,
      String hook,
      int priority,
      Set<String> devices,
      boolean drops,
      List<Rule> rules) {

    Chain {
      devices = Set.copyOf(devices);
      rules = List.copyOf(rules);
    }
  }

  /**
   * A rule.
   *
   * @param text as the operator knows it
   */
  record Rule(String text, Condition condition, Action action) {}

  Table {
    chains = Map.copyOf(chains);
  }

  /** What certainly drops a packet; empty if nothing does. */
  Optional<Blockade> findBlockade(PacketSample sample) {
    if (family.equals(sample.ipv4() ? "ip6" : "ip")) {
      return Optional.empty();
    }
    return chains.values().stream()
        .filter(chain -> sample.meets(chain.hook(), chain.priority()))
        .filter(chain -> sees(chain, sample))
        .flatMap(
            chain ->
                new Walk(this, sample)
                        .findDrop(chain)
                        .map(rule -> new Blockade(describe(chain, rule), acceptance(chain, sample)))
                        .stream())
        .findFirst();
  }

  private static boolean sees(Chain chain, PacketSample sample) {
    return chain.devices().isEmpty()
        || sample.device().filter(chain.devices()::contains).isPresent();
  }

  /** Where packets like this one may be sent instead. */
  Stream<Translation> translations(PacketSample sample) {
    return family.equals(sample.ipv4() ? "ip6" : "ip")
        ? Stream.empty()
        : chains.values().stream()
            .flatMap(chain -> chain.rules().stream())
            .filter(rule -> rule.action() instanceof Action.Translate)
            .filter(rule -> rule.condition().test(sample) != Certainty.NO)
            .map(rule -> ((Action.Translate) rule.action()).to());
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

  private String acceptance(Chain chain, PacketSample sample) {
    return isNft() ? nftRule(chain, sample) : iptablesRule(chain, sample);
  }

  private boolean isNft() {
    return tool.equals("nft");
  }

  private String iptablesRule(Chain chain, PacketSample sample) {
    StringBuilder rule = new StringBuilder(tool);
    rule.append(name.equals("filter") ? "" : " -t " + name).append(" -I ").append(chain.name());
    sample.destinationPort().ifPresent(port -> rule.append(" -p ").append(sample.protocol()));
    String device = sample.direction() == PacketSample.Direction.OUTGOING ? " -o " : " -i ";
    sample.device().filter(d -> d.equals("lo")).ifPresent(d -> rule.append(device).append(d));
    sample.source().ifPresent(a -> rule.append(" -s ").append(IpAddresses.format(a)));
    if (sample.device().isPresent() && sample.source().isEmpty()) {
      sample.destination().ifPresent(a -> rule.append(" -d ").append(IpAddresses.format(a)));
    }
    sample.destinationPort().ifPresent(port -> rule.append(" --dport ").append(port));
    return rule.append(" -j ACCEPT").toString();
  }

  private String nftRule(Chain chain, PacketSample sample) {
    StringBuilder rule = new StringBuilder("nft insert rule ");
    rule.append(family).append(' ').append(name).append(' ').append(chain.name());
    String device =
        sample.direction() == PacketSample.Direction.OUTGOING ? " oifname " : " iifname ";
    sample.device().filter(d -> d.equals("lo")).ifPresent(d -> rule.append(device).append(d));
    String ip = sample.ipv4() ? " ip " : " ip6 ";
    sample.source().ifPresent(a -> rule.append(ip).append("saddr ").append(IpAddresses.format(a)));
    if (sample.device().isPresent() && sample.source().isEmpty()) {
      sample
          .destination()
          .ifPresent(a -> rule.append(ip).append("daddr ").append(IpAddresses.format(a)));
    }
    sample
        .destinationPort()
        .ifPresent(p -> rule.append(' ').append(sample.protocol()).append(" dport ").append(p));
    return rule.append(" accept").toString();
  }
}
