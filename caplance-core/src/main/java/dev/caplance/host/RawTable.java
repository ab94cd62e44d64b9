package dev.caplance.host;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our chains in the {@code raw} table of one address family: {@code CAPLANCE}, to which PREROUTING
 * jumps first, and {@code CAPLANCE-DEFRAG}, to which nothing jumps. The mere existence of its
 * {@code -m socket} rule makes the kernel reassemble fragments before PREROUTING, without
 * connection tracking.
 */
final class RawTable {

  private static final Logger LOG = LoggerFactory.getLogger(RawTable.class);

  static final String CHAIN = "CAPLANCE";
  private static final String DEFRAG_CHAIN = "CAPLANCE-DEFRAG";

  private final OwnChains chains;
  private List<String> rules = List.of();
  private boolean defragments = true;

  /** Creates the object without changing the table. */
  RawTable(boolean ipv4, CommandRunner commands) {
    this.chains = new OwnChains(ipv4, "raw", "PREROUTING", List.of(CHAIN, DEFRAG_CHAIN), commands);
  }

  /**
   * Installs these rules in place of all rules of ours; without any, removes ours.
   *
   * @param wanted the rules of {@code CAPLANCE}, without {@code -A CAPLANCE}
   * @throws IOException if the host refuses them, with a message for the operator
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

  /** Whether no rules were applied. */
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

  /**
   * Restores the rules if none is left, without a look at what changed otherwise. Returns a
   * sentence on what was wrong, or nothing.
   */
  List<String> restoreIfFlushed() throws IOException {
    return sentence(chains.restoreIfFlushed(withDefragmentation(rules)));
  }

  /** Restores the rules if they have changed. Returns a sentence on what was wrong, or nothing. */
  List<String> check() throws IOException {
    String difference = chains.difference();
    if (!difference.isEmpty()) {
      install(rules);
    }
    return sentence(difference);
  }

  private List<String> sentence(String wrong) {
    return wrong.isEmpty()
        ? List.of()
        : List.of("the " + chains.family() + " rules " + wrong + "; put back");
  }

  /** The rules of {@code CAPLANCE} with their counters, {@code [packets:bytes] -A CAPLANCE …}. */
  List<String> rulesWithCounters() throws IOException {
    return chains.rulesWithCounters().stream()
        .filter(line -> line.contains("] -A " + CHAIN + " "))
        .toList();
  }
}
