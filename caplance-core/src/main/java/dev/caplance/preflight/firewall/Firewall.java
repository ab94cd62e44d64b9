package dev.caplance.preflight.firewall;

import static java.util.stream.Collectors.toSet;

import dev.caplance.host.CommandRunner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The firewall rules of this machine at one moment: those of iptables (both variants) and the
 * tables of nftables that iptables does not show.
 */
public final class Firewall {

  private static final String LEGACY_PRESENT = "iptables-legacy tables present";

  private final List<Table> tables;

  /**
   * A rule or policy that certainly drops a packet.
   *
   * @param where the table, the chain and the rule, for the operator
   * @param remedy the command that lets such packets pass there
   */
  public record Blockade(String where, String remedy) {}

  Firewall(List<Table> tables) {
    this.tables = List.copyOf(tables);
  }

  /**
   * Reads the rules. Needs CAP_NET_ADMIN.
   *
   * @param ipv6 whether to read the rules for IPv6, too
   */
  public static Firewall read(CommandRunner commands, boolean ipv6) throws IOException {
    List<Table> tables = new ArrayList<>(iptables(commands, true));
    if (ipv6) {
      tables.addAll(iptables(commands, false));
    }
    if (CommandRunner.has("nft")) {
      Set<String> known = tables.stream().map(t -> t.family() + " " + t.name()).collect(toSet());
      NftRuleset.parse(commands.run("nft", "-j", "list", "ruleset")).stream()
          .filter(table -> !known.contains(table.family() + " " + table.name()))
          .forEach(tables::add);
    }
    return new Firewall(tables);
  }

  private static List<Table> iptables(CommandRunner commands, boolean ipv4) throws IOException {
    String tool = ipv4 ? "iptables" : "ip6tables";
    String saved = commands.run(tool + "-nft-save");
    List<Table> tables = new ArrayList<>(IptablesSave.parse(tool + "-nft", ipv4, saved));
    if (saved.contains(LEGACY_PRESENT)) {
      String legacy = commands.run(tool + "-legacy-save");
      tables.addAll(IptablesSave.parse(tool + "-legacy", ipv4, legacy));
    }
    return tables;
  }

  /** Where packets like this one may be sent instead of where they are addressed to (DNAT). */
  public List<Translation> translations(PacketSample sample) {
    return tables.stream().flatMap(table -> table.translations(sample)).distinct().toList();
  }

  /** What certainly drops a packet, one for each table that does. */
  public List<Blockade> blockades(PacketSample sample) {
    return tables.stream().flatMap(table -> table.findBlockade(sample).stream()).toList();
  }
}
