package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import dev.caplance.preflight.firewall.Table.Chain;
import dev.caplance.preflight.firewall.Table.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what {@code iptables-save} prints. */
final class IptablesSave {

  private static final Pattern TOKEN = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"|(\\S+)");
  private static final Set<String> BASE_CHAINS =
      Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

  /** {@code enum nf_ip_hook_priorities} of linux/netfilter_ipv4.h. */
  private static final Map<String, Integer> PRIORITIES =
      Map.of("raw", -300, "mangle", -150, "filter", 0, "security", 50);

  private static final Pattern DESTINATION =
      Pattern.compile("([0-9.]+|[0-9a-f:]+|\\[[0-9a-f:]+])(?::(\\d+))?");

  /** Modules that match by their options only. */
  private static final Set<String> QUIET_MODULES =
      Set.of("tcp", "udp", "comment", "multiport", "conntrack", "state", "addrtype");

  private static final Set<String> PASSING_TARGETS =
      Set.of(
          "LOG",
          "NFLOG",
          "MARK",
          "CONNMARK",
          "CHECKSUM",
          "CLASSIFY",
          "CT",
          "NOTRACK",
          "DSCP",
          "TCPMSS",
          "TOS",
          "TRACE",
          "SET",
          "TTL",
          "HL");

  private final String tool;
  private final boolean ipv4;
  private final List<Table> tables = new ArrayList<>();
  private final Map<String, Boolean> drops = new LinkedHashMap<>();
  private final Map<String, List<Rule>> rules = new LinkedHashMap<>();

  private IptablesSave(String tool, boolean ipv4) {
    this.tool = tool;
    this.ipv4 = ipv4;
  }

  /**
   * Reads all tables. Only the first packet of a connection traverses {@code nat}.
   *
   * @param tool the program whose rules these are, without {@code -save}
   */
  static List<Table> parse(String tool, boolean ipv4, String text) {
    IptablesSave reader = new IptablesSave(tool, ipv4);
    String table = "";
    for (String line : text.lines().toList()) {
      if (line.startsWith("*")) {
        table = line.substring(1).strip();
      } else if (line.equals("COMMIT")) {
        reader.finish(table);
      } else {
        reader.read(line);
      }
    }
    return reader.tables;
  }

  private void read(String line) {
    List<String> tokens = tokens(line);
    if (line.startsWith(":") && tokens.size() > 1) {
      String chain = tokens.get(0).substring(1);
      drops.put(chain, tokens.get(1).equals("DROP"));
      rules.put(chain, new ArrayList<>());
    } else if (line.startsWith("-A ") && rules.containsKey(tokens.get(1))) {
      rules.get(tokens.get(1)).add(rule(line, tokens.subList(2, tokens.size())));
    }
  }

  private void finish(String table) {
    Map<String, Chain> chains = new LinkedHashMap<>();
    rules.forEach(
        (name, list) -> {
          boolean base = BASE_CHAINS.contains(name) && !table.equals("nat");
          String hook = base ? name.toLowerCase(Locale.ROOT) : "";
          int priority = PRIORITIES.getOrDefault(table, 0);
          chains.put(name, new Chain(name, hook, priority, Set.of(), drops.get(name), list));
        });
    tables.add(new Table(tool, ipv4 ? "ip" : "ip6", table, chains));
    drops.clear();
    rules.clear();
  }

  private static List<String> tokens(String line) {
    List<String> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(line);
    while (matcher.find()) {
      tokens.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
    }
    return tokens;
  }

  private static Rule rule(String line, List<String> tokens) {
    List<Condition> conditions = new ArrayList<>();
    Iterator<String> rest = tokens.iterator();
    boolean negated = false;
    Action action = new Action.Pass();
    while (rest.hasNext()) {
      String option = rest.next();
      if (option.equals("-j") || option.equals("-g")) {
        String target = rest.next();
        action = target.equals("DNAT") ? translation(rest) : action(target, option.equals("-g"));
        break;
      }
      if (option.equals("!")) {
        negated = true;
      } else if (option.startsWith("-")) {
        Condition condition = condition(option, rest);
        conditions.add(negated ? condition.negated() : condition);
        negated = false;
      }
    }
    return new Rule(line, Condition.all(conditions), action);
  }

  private static Action translation(Iterator<String> rest) {
    while (rest.hasNext()) {
      if (rest.next().equals("--to-destination") && rest.hasNext()) {
        Matcher to = DESTINATION.matcher(rest.next());
        if (to.matches()) {
          String address = to.group(1).replaceAll("[\\[\\]]", "");
          OptionalInt port =
              to.group(2) == null
                  ? OptionalInt.empty()
                  : OptionalInt.of(Integer.parseInt(to.group(2)));
          return new Action.Translate(new Translation(IpAddresses.parse(address), port));
        }
      }
    }
    return new Action.Unclear();
  }

  private static Action action(String target, boolean forGood) {
    if (PASSING_TARGETS.contains(target)) {
      return new Action.Pass();
    }
    return switch (target) {
      case "ACCEPT" -> new Action.Accept();
      case "DROP", "REJECT" -> new Action.Drop();
      case "RETURN" -> new Action.Return();
      default -> new Action.Visit(target, forGood);
    };
  }

  /** The arguments of an option that is not understood are skipped, since they are no options. */
  private static Condition condition(String option, Iterator<String> rest) {
    try {
      return switch (option) {
        case "-s" -> Condition.source(IpPrefix.parse(rest.next()));
        case "-d" -> Condition.destination(IpPrefix.parse(rest.next()));
        case "-i" -> Condition.device(PacketSample.Direction.INCOMING, rest.next(), '+');
        case "-o" -> Condition.device(PacketSample.Direction.OUTGOING, rest.next(), '+');
        case "-p" -> Condition.protocol(rest.next());
        case "--sport", "--sports" -> Condition.sourcePort(ports(rest.next()));
        case "--dport", "--dports" -> Condition.destinationPort(ports(rest.next()));
        case "--ctstate", "--state" -> Condition.states(Arrays.asList(rest.next().split(",")));
        case "--dst-type" -> Condition.destinationType(rest.next());
        case "--comment" -> always(rest.next());
        case "-m" -> QUIET_MODULES.contains(rest.next()) ? always("") : Condition.UNKNOWN;
        default -> Condition.UNKNOWN;
      };
    } catch (IllegalArgumentException e) {
      return Condition.UNKNOWN;
    }
  }

  private static Condition always(String ignored) {
    return sample -> Certainty.YES;
  }

  private static List<Condition.Range> ports(String text) {
    return Arrays.stream(text.split(","))
        .map(part -> part.split(":", 2))
        .map(
            ends ->
                new Condition.Range(
                    Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])))
        .toList();
  }
}
