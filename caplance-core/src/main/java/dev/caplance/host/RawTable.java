package dev.caplance.host;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our chains in one family's {@code raw} table: {@code CAPLANCE}, to which PREROUTING jumps first,
 * and {@code CAPLANCE-DEFRAG}, to which nothing jumps: the mere existence of its {@code -m socket}
 * rule makes the kernel reassemble fragments before PREROUTING, without connection tracking.
 */
final class RawTable {

  private static final Logger LOG = LoggerFactory.getLogger(RawTable.class);

  static final String CHAIN = "CAPLANCE";
  private static final String DEFRAG_CHAIN = "CAPLANCE-DEFRAG";

  private final OwnChains chains;
  private List<String> rules = List.of();
  private boolean defragments = true;

  /** A table that is still as it is. */
  RawTable(boolean ipv4, CommandRunner commands) {
    this.chains = new OwnChains(ipv4, "raw", "PREROUTING", List.of(CHAIN, DEFRAG_CHAIN), commands);
  }

  /**
   * Puts these rules in place of whatever is there of ours; without any, removes what is there.
   *
   * @param wanted what {@code CAPLANCE} is to hold, without {@code -A CAPLANCE}
   */
  void apply(List<String> wanted) throws IOException {
    List<String> complete = wanted.stream().map(rule -> "-A " + CHAIN + " " + rule).toList();
    if (complete.isEmpty()) {
      chains.remove();
    } else if (!complete.equals(rules) || !chains.difference().isEmpty()) {
      install(complete);
    }
    rules = complete;
  }

  boolean isEmpty() {
    return rules.isEmpty();
  }

  private void install(List<String> wanted) throws IOException {
    try {
      chains.install(withDefragmentation(wanted));
    } catch (CommandException e) {
      if (!defragments || !isAboutSocketMatch(e)) {
        throw e;
      }
      defragments = false;
      installWithoutDefragmentation(wanted, e);
    }
  }

  private List<String> withDefragmentation(List<String> wanted) {
    List<String> all = new ArrayList<>(wanted);
    if (defragments) {
      all.add("-A " + DEFRAG_CHAIN + " -m socket -j RETURN");
    }
    return all;
  }

  private static boolean isAboutSocketMatch(CommandException e) {
    return e.getMessage().contains("socket") || e.getMessage().contains(DEFRAG_CHAIN);
  }

  private void installWithoutDefragmentation(List<String> wanted, CommandException first)
      throws IOException {
    try {
      chains.install(withDefragmentation(wanted));
    } catch (CommandException e) {
      defragments = true;
      first.addSuppressed(e);
      throw first;
    }
    LOG.warn(
        "{}: fragments will not be reassembled, because the kernel lacks the netfilter match"
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
    install(rules);
    return List.of("the " + chains.family() + " rules " + difference + "; put back");
  }

  /** The rules of {@code CAPLANCE} with their counters, {@code [packets:bytes] -A CAPLANCE …}. */
  List<String> rulesWithCounters() throws IOException {
    return chains.rulesWithCounters().stream()
        .filter(line -> line.contains("] -A " + CHAIN + " "))
        .toList();
  }
}
