package dev.caplance.host;

import static java.util.stream.Collectors.joining;

import dev.caplance.linux.LinuxException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * Netfilter chains of our own in one table of one address family, and the one jump to the first of
 * them. Each replacement is one transaction of {@code iptables-nft-restore}, so that no packet
 * meets half of the rules. Chains that a crashed run left behind are found by their names. Used by
 * one thread at a time.
 *
 * <p>The nft variant is called by name, since {@code iptables-legacy} works only for root.
 */
public final class OwnChains {

  private final String family;
  private final int familyNumber;
  private final String program;
  private final String table;
  private final String firstChain;
  private final String jump;
  private final Pattern ownLine;
  private final Pattern anyJump;
  private final CommandRunner commands;
  private Contents installed = new Contents(List.of(), List.of());

  /**
   * What the table holds of ours.
   *
   * @param jumps the rules of any chain that jump to our chains
   * @param chains our chains and their rules, as {@code iptables-save} prints them without counters
   */
  private record Contents(List<String> jumps, List<String> chains) {

    private boolean isEmpty() {
      return jumps.isEmpty() && chains.isEmpty();
    }

    private boolean hasRules() {
      return chains.stream().anyMatch(line -> line.startsWith("-A "));
    }
  }

  /**
   * Chains that have not been changed yet.
   *
   * @param table {@code raw}, {@code mangle} and so on
   * @param hook the built-in chain whose first rule jumps to the first of ours
   * @param chains the names of ours, also of those that only some versions of this program have;
   *     none may be a prefix of another chain's name in this table
   */
  public OwnChains(
      boolean ipv4, String table, String hook, List<String> chains, CommandRunner commands) {
    this.family = ipv4 ? "IPv4" : "IPv6";
    this.familyNumber = ipv4 ? NftState.IPV4 : NftState.IPV6;
    this.firstChain = chains.get(0);
    this.program = ipv4 ? "iptables-nft" : "ip6tables-nft";
    this.table = table;
    this.jump = "-A " + hook + " -j " + chains.get(0);
    String names = chains.stream().map(Pattern::quote).collect(joining("|", "(", ")"));
    this.ownLine = Pattern.compile("(:|-A )" + names + "( .*)");
    this.anyJump = Pattern.compile("-A .* -[jg] " + names);
    this.commands = commands;
  }

  /** {@code IPv4} or {@code IPv6}. */
  public String family() {
    return family;
  }

  /**
   * Puts these rules in place of all that our chains hold.
   *
   * @param rules complete: {@code -A CHAIN …}; a chain without a rule does not exist
   */
  public void install(List<String> rules) throws IOException {
    replace(read(), rules);
    Contents afterwards = read();
    if (!afterwards.jumps().equals(List.of(jump))) {
      throw new IOException(
          "the "
              + family
              + " rules did not stay in the "
              + table
              + " table; it holds "
              + afterwards);
    }
    installed = afterwards;
  }

  private void replace(Contents present, List<String> rules) throws IOException {
    List<String> lines = new ArrayList<>();
    rules.stream()
        .map(rule -> rule.split(" ", 3)[1])
        .distinct()
        .forEach(chain -> lines.add(":" + chain + " - [0:0]"));
    lines.addAll(deletions(present));
    lines.addAll(rules);
    lines.add(jump.replaceFirst("^-A (\\S+)", "-I $1 1"));
    restore(lines);
  }

  /**
   * Puts the rules back if none is left, as after a flush: by one program, and without reading what
   * is there.
   *
   * @param rules as they were installed
   * @return what was wrong, completing "the rules …"; empty if some are left or that is not known
   */
  public String restoreIfFlushed(List<String> rules) throws IOException {
    String wrong;
    try {
      OptionalInt use = NftState.use(familyNumber, table, firstChain);
      wrong = use.isEmpty() ? "had been removed" : use.getAsInt() == 0 ? "had been flushed" : "";
    } catch (LinuxException e) {
      return "";
    }
    if (!wrong.isEmpty()) {
      replace(new Contents(List.of(), List.of()), rules);
    }
    return wrong;
  }

  /** How the rules differ from those installed, completing "the rules …"; empty if they do not. */
  public String difference() throws IOException {
    Contents present = read();
    if (present.equals(installed)) {
      return "";
    }
    if (present.isEmpty()) {
      return "had been removed";
    }
    return switch (present.jumps().size()) {
      case 0 -> present.hasRules() ? "were there, but nothing jumped to them" : "had been flushed";
      case 1 -> "had been changed";
      default -> "were jumped to " + present.jumps().size() + " times";
    };
  }

  /** Removes our chains and all jumps to them, if there are any. */
  public void remove() throws IOException {
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

  /** All rules of the table with their counters, {@code [packets:bytes] -A CHAIN …}. */
  public List<String> rulesWithCounters() throws IOException {
    return commands.run(program + "-save", "-c", "-t", table).lines().toList();
  }

  /** Only for jumps that exist: deleting an absent one would fail the whole transaction. */
  private static List<String> deletions(Contents present) {
    return present.jumps().stream().map(jump -> "-D" + jump.substring(2)).toList();
  }

  private void restore(List<String> lines) throws IOException {
    String input = lines.stream().collect(joining("\n", "*" + table + "\n", "\nCOMMIT\n"));
    commands.runWithInput(input, program + "-restore", "--noflush", "-w", "5");
  }

  private Contents read() throws IOException {
    String saved = commands.run(program + "-save", "-t", table);
    if (saved.contains("is incompatible, use 'nft' tool")) {
      throw new IOException(
          "the "
              + family
              + " table '"
              + table
              + "' was made by nft and cannot be shared; give that table another name");
    }
    List<String> jumps = new ArrayList<>();
    List<String> chains = new ArrayList<>();
    for (String line : saved.lines().toList()) {
      if (anyJump.matcher(line).matches()) {
        jumps.add(line);
      } else if (ownLine.matcher(line).matches()) {
        chains.add(line.replaceFirst(" \\[\\d+:\\d+]$", ""));
      }
    }
    return new Contents(List.copyOf(jumps), List.copyOf(chains));
  }
}
