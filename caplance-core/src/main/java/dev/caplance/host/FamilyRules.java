package dev.caplance.host;

import dev.caplance.host.NetfilterRules.Vip;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules of one address family: a few for each VIP, or, where that would be many, the same few
 * for all of them with {@link ServiceSets}. Used by one thread at a time.
 */
final class FamilyRules {

  private static final Logger LOG = LoggerFactory.getLogger(FamilyRules.class);

  /** A packet meets all of them; up to so many cost less than a set does. */
  private static final int FEW_RULES = 40;

  private static final Pattern DROP_RULE =
      Pattern.compile("\\[(\\d+):\\d+] -A " + RawTable.CHAIN + " -d ([^/ ]+)/\\d+ -j DROP");

  private final boolean ipv4;
  private final QueueRules rules;
  private final RawTable table;
  private final ServiceSets sets;
  private boolean withSets;

  FamilyRules(boolean ipv4, String udpTarget, String tcpTarget, CommandRunner commands) {
    this.ipv4 = ipv4;
    this.rules = new QueueRules(ipv4, udpTarget, tcpTarget);
    this.table = new RawTable(ipv4, commands);
    this.sets = new ServiceSets(ipv4, commands);
  }

  /**
   * Installs the rules for those of these VIPs that are of this family, in place of all others.
   *
   * @throws IOException if the host refuses them, with a message for the operator
   */
  void apply(List<Vip> all) throws IOException {
    List<Vip> vips = all.stream().filter(vip -> IpAddresses.isIpv4(vip.address()) == ipv4).toList();
    if (vips.isEmpty()) {
      removeIfPossible();
      return;
    }
    List<String> single = rules.forEach(vips);
    withSets = single.size() > FEW_RULES && fill(vips, single.size());
    if (!withSets) {
      sets.clear();
    }
    table.apply(withSets ? rules.withSets(sets.contents(vips), vips) : single);
    removeUnusedSets();
  }

  private boolean fill(List<Vip> vips, int count) {
    try {
      sets.fill(sets.contents(vips));
      return true;
    } catch (IOException e) {
      LOG.warn(
          "{}: each packet meets {} rules, because there can be no sets: {}",
          ipv4 ? "IPv4" : "IPv6",
          count,
          e.getMessage());
      return false;
    }
  }

  /** They do no harm. */
  private void removeUnusedSets() {
    try {
      sets.removeUnused();
    } catch (IOException e) {
      LOG.debug("cannot remove unused sets", e);
    }
  }

  /** Restores the rules if none is left. Returns a sentence on what was wrong, or nothing. */
  List<String> restoreIfFlushed() throws IOException {
    return table.isEmpty() ? List.of() : table.restoreIfFlushed();
  }

  /** Restores the rules if they have changed. Returns a sentence on what was wrong, or nothing. */
  List<String> check() throws IOException {
    return table.isEmpty() ? List.of() : table.check();
  }

  /** The same for the sets, of whose change the kernel does not tell. */
  List<String> checkSets() throws IOException {
    String wrong = withSets ? sets.check() : "";
    return wrong.isEmpty()
        ? List.of()
        : List.of("the " + (ipv4 ? "IPv4" : "IPv6") + " sets " + wrong + "; filled again");
  }

  /** The packets for each VIP that were dropped as other traffic. */
  Map<InetAddress, Long> dropped() throws IOException {
    if (withSets) {
      return sets.dropped();
    }
    Map<InetAddress, Long> counters = new LinkedHashMap<>();
    for (String rule : table.isEmpty() ? List.<String>of() : table.rulesWithCounters()) {
      Matcher drop = DROP_RULE.matcher(rule);
      if (drop.matches()) {
        counters.put(IpAddresses.parse(drop.group(2)), Long.parseLong(drop.group(1)));
      }
    }
    return counters;
  }

  /** Removes all rules and sets of ours. */
  void remove() throws IOException {
    boolean hadSets = withSets;
    boolean used = !table.isEmpty();
    withSets = false;
    sets.clear();
    if (!used) {
      removeIfPossible();
      return;
    }
    table.apply(List.of());
    if (hadSets) {
      sets.removeUnused();
    } else {
      removeUnusedSets();
    }
  }

  /**
   * Removes what is left of ours in an unused address family. A machine without that family has
   * nothing to remove.
   */
  private void removeIfPossible() {
    withSets = false;
    sets.clear();
    try {
      table.apply(List.of());
    } catch (IOException e) {
      LOG.debug("cannot look for rules in an unused address family", e);
    }
    removeUnusedSets();
  }
}
