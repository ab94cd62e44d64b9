package dev.caplance.host;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our chains in one family's {@code raw} table: {@code CAPLANCE}, to which PREROUTING jumps first,
 * and {@code CAPLANCE-DEFRAG}, to which nothing jumps: the mere existence of its {@code -m socket}
 * rule makes the kernel put fragments together before PREROUTING, without connection tracking.
 */
final class RawTable {

  private static final Logger LOG = LoggerFactory.getLogger(RawTable.class);

  static final String CHAIN = "CAPLANCE";
  private static final String DEFRAG_CHAIN = "CAPLANCE-DEFRAG";

  private final OwnChains chains;
  private final List<String> rules;
  private boolean defragments = true;

  /**
   * A table that is still as it is.
   *
   * @param rules what {@code CAPLANCE} is to hold, without {@code -A CAPLANCE}
   */
  RawTable(boolean ipv4, List<String> rules, CommandRunner commands) {
    this.chains = new OwnChains(ipv4, "raw", "PREROUTING", List.of(CHAIN, DEFRAG_CHAIN), commands);
    this.rules = rules.stream().map(rule -> "-A " + CHAIN + " " + rule).toList();
  }

  /** Puts the rules in place of whatever was left there. */
  void install() throws IOException {
    try {
      chains.install(allRules());
    } catch (CommandException e) {
      if (!defragments || !isAboutSocketMatch(e)) {
        throw e;
      }
      defragments = false;
      installWithoutDefragmentation(e);
    }
  }

  private List<String> allRules() {
    List<String> all = new ArrayList<>(rules);
    if (defragments) {
      all.add("-A " + DEFRAG_CHAIN + " -m socket -j RETURN");
    }
    return all;
  }

  private static boolean isAboutSocketMatch(CommandException e) {
    return e.getMessage().contains("socket") || e.getMessage().contains(DEFRAG_CHAIN);
  }

  private void installWithoutDefragmentation(CommandException first) throws IOException {
    try {
      chains.install(allRules());
    } catch (CommandException e) {
      defragments = true;
      first.addSuppressed(e);
      throw first;
    }
    LOG.warn(
        "{}: fragments will not be put together, since the kernel lacks the netfilter match"
            + " 'socket' ({})",
        chains.family(),
        first.getMessage());
  }

  /** Looks whether the rules are still there, and puts them back; says what was wrong. */
  List<String> check() throws IOException {
    String difference = chains.difference();
    if (difference.isEmpty()) {
      return List.of();
    }
    install();
    return List.of("the " + chains.family() + " rules " + difference + "; put back");
  }

  /** Removes our chains and every jump to them, if there are any. */
  void remove() throws IOException {
    chains.remove();
  }

  /** The rules of {@code CAPLANCE} with their counters, {@code [packets:bytes] -A CAPLANCE …}. */
  List<String> rulesWithCounters() throws IOException {
    return chains.rulesWithCounters().stream()
        .filter(line -> line.contains("] -A " + CHAIN + " "))
        .toList();
  }
}
