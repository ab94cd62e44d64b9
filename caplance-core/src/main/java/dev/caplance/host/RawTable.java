package dev.caplance.host;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our chains in one family's {@code raw} table: {@code CAPLANCE}, to which PREROUTING jumps first,
 * and {@code CAPLANCE-DEFRAG}, to which nothing jumps: the mere existence of its {@code -m socket}
 * rule makes the kernel put fragments together before PREROUTING, without connection tracking. Each
 * replacement is one transaction of {@code iptables-nft-restore}, so that no packet ever meets half
 * of the rules.
 *
 * <p>The nft variant is called by name: {@code iptables-legacy} works for nobody but root.
 */
final class RawTable {

  private static final Logger LOG = LoggerFactory.getLogger(RawTable.class);

  static final String CHAIN = "CAPLANCE";
  private static final String DEFRAG_CHAIN = "CAPLANCE-DEFRAG";
  private static final String JUMP = "-A PREROUTING -j " + CHAIN;

  private static final Pattern OWN_LINE =
      Pattern.compile("(:|-A )(" + CHAIN + "|" + DEFRAG_CHAIN + ")( .*)");
  private static final Pattern ANY_JUMP =
      Pattern.compile("-A .* -[jg] (" + CHAIN + "|" + DEFRAG_CHAIN + ")");

  private final String family;
  private final String program;
  private final List<String> rules;
  private final CommandRunner commands;
  private boolean defragments = true;
  private Contents installed = new Contents(List.of(), List.of());

  /**
   * What the table holds of ours.
   *
   * @param jumps the rules, in whatever chain, that jump to our chains
   * @param chains our chains and their rules, as {@code iptables-save} prints them without counters
   */
  private record Contents(List<String> jumps, List<String> chains) {

    boolean isEmpty() {
      return jumps.isEmpty() && chains.isEmpty();
    }

    boolean hasRules() {
      return chains.stream().anyMatch(line -> line.startsWith("-A "));
    }
  }

  /**
   * A table that is still as it is.
   *
   * @param rules what {@code CAPLANCE} is to hold, without {@code -A CAPLANCE}
   */
  RawTable(boolean ipv4, List<String> rules, CommandRunner commands) {
    this.family = ipv4 ? "IPv4" : "IPv6";
    this.program = ipv4 ? "iptables-nft" : "ip6tables-nft";
    this.rules = List.copyOf(rules);
    this.commands = commands;
  }

  /** Puts the rules in place of whatever was left there. */
  void install() throws IOException {
    Contents present = read();
    try {
      restore(replacement(present));
    } catch (CommandException e) {
      if (!defragments || !isAboutSocketMatch(e)) {
        throw e;
      }
      defragments = false;
      restoreWithoutDefragmentation(present, e);
    }
    Contents afterwards = read();
    if (!afterwards.jumps().equals(List.of(JUMP))) {
      throw new IOException(
          "the " + family + " rules did not stay in the raw table; it holds " + afterwards);
    }
    installed = afterwards;
  }

  private static boolean isAboutSocketMatch(CommandException e) {
    return e.getMessage().contains("socket") || e.getMessage().contains(DEFRAG_CHAIN);
  }

  private void restoreWithoutDefragmentation(Contents present, CommandException first)
      throws IOException {
    try {
      restore(replacement(present));
    } catch (CommandException e) {
      defragments = true;
      first.addSuppressed(e);
      throw first;
    }
    LOG.warn(
        "{}: fragments will not be put together, since the kernel lacks the netfilter match"
            + " 'socket' ({})",
        family,
        first.getMessage());
  }

  /** Looks whether the rules are still there, and puts them back; says what was wrong. */
  List<String> check() throws IOException {
    Contents present = read();
    if (present.equals(installed)) {
      return List.of();
    }
    install();
    return List.of("the " + family + " rules " + difference(present) + "; put back");
  }

  private static String difference(Contents present) {
    if (present.isEmpty()) {
      return "had been removed";
    }
    return switch (present.jumps().size()) {
      case 0 -> present.hasRules() ? "were there, but nothing jumped to them" : "had been flushed";
      case 1 -> "had been changed";
      default -> "were jumped to " + present.jumps().size() + " times";
    };
  }

  /** Removes our chains and every jump to them, if there are any. */
  void remove() throws IOException {
    Contents present = read();
    if (!present.isEmpty()) {
      List<String> lines = new ArrayList<>(deletions(present));
      List<String> chains =
          present.chains().stream()
              .filter(line -> line.startsWith(":"))
              .map(line -> line.substring(1, line.indexOf(' ')))
              .toList();
      chains.forEach(chain -> lines.add("-F " + chain));
      chains.forEach(chain -> lines.add("-X " + chain));
      restore(lines);
    }
    installed = new Contents(List.of(), List.of());
  }

  /** The rules of {@code CAPLANCE} with their counters, {@code [packets:bytes] -A CAPLANCE …}. */
  List<String> rulesWithCounters() throws IOException {
    return commands
        .run(program + "-save", "-c", "-t", "raw")
        .lines()
        .filter(line -> line.contains("] -A " + CHAIN + " "))
        .toList();
  }

  private List<String> replacement(Contents present) {
    List<String> lines = new ArrayList<>();
    lines.add(":" + CHAIN + " - [0:0]");
    if (defragments) {
      lines.add(":" + DEFRAG_CHAIN + " - [0:0]");
    }
    lines.addAll(deletions(present));
    rules.forEach(rule -> lines.add("-A " + CHAIN + " " + rule));
    if (defragments) {
      lines.add("-A " + DEFRAG_CHAIN + " -m socket -j RETURN");
    }
    lines.add("-I PREROUTING 1 -j " + CHAIN);
    return lines;
  }

  /** Only of jumps that were found: to delete an absent one fails the whole transaction. */
  private static List<String> deletions(Contents present) {
    return present.jumps().stream().map(jump -> "-D" + jump.substring(2)).toList();
  }

  private void restore(List<String> lines) throws IOException {
    String input = lines.stream().collect(joining("\n", "*raw\n", "\nCOMMIT\n"));
    commands.runWithInput(input, program + "-restore", "--noflush", "-w", "5");
  }

  private Contents read() throws IOException {
    String saved = commands.run(program + "-save", "-t", "raw");
    if (saved.contains("is incompatible, use 'nft' tool")) {
      throw new IOException(
          "the "
              + family
              + " table 'raw' was made by nft and cannot be shared; give that table another name");
    }
    List<String> jumps = new ArrayList<>();
    List<String> chains = new ArrayList<>();
    for (String line : saved.lines().toList()) {
      if (ANY_JUMP.matcher(line).matches()) {
        jumps.add(line);
      } else if (OWN_LINE.matcher(line).matches()) {
        chains.add(line.replaceFirst(" \\[\\d+:\\d+]$", ""));
      }
    }
    return new Contents(List.copyOf(jumps), List.copyOf(chains));
  }
}
