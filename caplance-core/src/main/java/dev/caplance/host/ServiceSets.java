package dev.caplance.host;

import static java.util.stream.Collectors.joining;

import dev.caplance.host.NetfilterRules.Vip;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The VIPs and ports of one address family in sets of the kernel, ipset(8), so that a packet costs
 * the same whatever their number. The sets are known by their names, and each is replaced at once.
 * Used by one thread at a time.
 */
final class ServiceSets {

  /** A port is an entry; a wider range of them is a rule instead. */
  private static final int WIDEST_RANGE = 256;

  private static final String PREFIX = "CAPLANCE-";
  private static final String NEW = "-NEW";
  private static final int MOST_ENTRIES = 1 << 20;

  /** The kernel lets go of a rule's sets a moment after the rule. */
  private static final int ATTEMPTS = 50;

  private static final int PAUSE_MILLIS = 20;

  private static final Pattern HEADER = Pattern.compile("Name: (\\S+)|Number of entries: (\\d+)");
  private static final Pattern COUNTED = Pattern.compile("(\\S+) packets (\\d+) bytes \\d+.*");

  private final String family;
  private final CommandRunner commands;
  private Contents contents;

  ServiceSets(boolean ipv4, CommandRunner commands) {
    this.family = ipv4 ? "inet" : "inet6";
    this.commands = commands;
    this.contents = contents(List.of());
  }

  /**
   * What the sets of a family hold.
   *
   * @param family of ipset
   * @param entries by the names of the sets, those without an entry left out
   */
  record Contents(String family, Map<String, List<String>> entries) {

    private String name(String kind) {
      return PREFIX + (family.equals("inet") ? "4-" : "6-") + kind;
    }

    /** All VIPs. */
    String vips() {
      return name("VIPS");
    }

    /** VIPs with single ports. */
    String ports() {
      return name("PORTS");
    }

    /** VIPs all of whose ports of a protocol are served. */
    String whole(int protocol) {
      return name(protocol == IpProtocol.TCP ? "TCP" : "UDP");
    }

    /** VIPs whose other packets are dropped. */
    String dropped() {
      return name("DROP");
    }

    boolean has(String set) {
      return entries.containsKey(set);
    }

    boolean hasPorts() {
      return has(ports());
    }

    private void add(String set, String entry) {
      entries.computeIfAbsent(set, name -> new ArrayList<>()).add(entry);
    }
  }

  /** Whether a range has too many ports to be entries of a set. */
  static boolean isWide(Ports.Range range) {
    return range.last() - range.first() >= WIDEST_RANGE;
  }

  /** What the sets would hold for these VIPs. */
  Contents contents(List<Vip> vips) {
    Contents sets = new Contents(family, new TreeMap<>());
    for (Vip vip : vips) {
      String address = IpAddresses.format(vip.address());
      sets.add(sets.vips(), address);
      for (int protocol : new int[] {IpProtocol.TCP, IpProtocol.UDP}) {
        String name = protocol == IpProtocol.TCP ? "tcp" : "udp";
        if (vip.ports().hasAll(protocol)) {
          sets.add(sets.whole(protocol), address);
        } else {
          vip.ports().ranges(protocol).stream()
              .filter(range -> !isWide(range))
              .flatMapToInt(range -> IntStream.rangeClosed(range.first(), range.last()))
              .forEach(port -> sets.add(sets.ports(), address + "," + name + ":" + port));
        }
      }
      if (vip.dropOther()) {
        sets.add(sets.dropped(), address);
      }
    }
    return sets;
  }

  /** Makes the sets so; those that are not wanted any more stay until {@link #removeUnused}. */
  void fill(Contents wanted) throws IOException {
    StringBuilder script = new StringBuilder();
    wanted.entries().forEach((name, entries) -> replace(script, wanted, name, entries));
    commands.runWithInput(script.toString(), "ipset", "-exist", "restore");
    contents = wanted;
  }

  private static void replace(
      StringBuilder script, Contents wanted, String name, List<String> entries) {
    String type =
        (name.equals(wanted.ports()) ? "hash:ip,port" : "hash:ip")
            + " family "
            + wanted.family()
            + " maxelem "
            + MOST_ENTRIES
            + (name.equals(wanted.dropped()) ? " counters" : "");
    String fresh = name + NEW;
    script.append("create ").append(name).append(' ').append(type).append('\n');
    script.append("create ").append(fresh).append(' ').append(type).append('\n');
    script.append("flush ").append(fresh).append('\n');
    entries.forEach(
        entry -> script.append("add ").append(fresh).append(' ').append(entry).append('\n'));
    script.append("swap ").append(fresh).append(' ').append(name).append('\n');
    script.append("destroy ").append(fresh).append('\n');
  }

  /**
   * Fills the sets again if another program has taken entries out; that raises no event.
   *
   * @return what was wrong, completing "the sets …"; empty if nothing was
   */
  String check() throws IOException {
    if (contents.entries().isEmpty()) {
      return "";
    }
    Map<String, Integer> sizes = sizes();
    boolean whole =
        contents.entries().entrySet().stream()
            .allMatch(
                set -> Integer.valueOf(set.getValue().size()).equals(sizes.get(set.getKey())));
    if (!whole) {
      fill(contents);
    }
    return whole ? "" : "had lost entries";
  }

  private Map<String, Integer> sizes() throws IOException {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    String name = "";
    Matcher matcher = HEADER.matcher(commands.run("ipset", "list", "-terse"));
    while (matcher.find()) {
      if (matcher.group(1) != null) {
        name = matcher.group(1);
      } else {
        sizes.put(name, Integer.valueOf(matcher.group(2)));
      }
    }
    return sizes;
  }

  /** The packets that were dropped for each VIP since the sets were filled. */
  Map<InetAddress, Long> dropped() throws IOException {
    Map<InetAddress, Long> counters = new LinkedHashMap<>();
    if (contents.has(contents.dropped())) {
      for (String line : commands.run("ipset", "list", contents.dropped()).lines().toList()) {
        Matcher counted = COUNTED.matcher(line);
        if (counted.matches()) {
          counters.put(IpAddresses.parse(counted.group(1)), Long.valueOf(counted.group(2)));
        }
      }
    }
    return counters;
  }

  /** Removes the sets of this family that {@link #fill} did not fill, also those of a crash. */
  void removeUnused() throws IOException {
    if (!CommandRunner.has("ipset")) {
      return;
    }
    String script = unused().map(name -> "destroy " + name + "\n").collect(joining());
    for (int i = 0; !script.isEmpty(); i++) {
      try {
        commands.runWithInput(script, "ipset", "-exist", "restore");
        return;
      } catch (CommandException e) {
        if (i == ATTEMPTS) {
          throw e;
        }
        pause();
        script = unused().map(name -> "destroy " + name + "\n").collect(joining());
      }
    }
  }

  private Stream<String> unused() throws IOException {
    String own = contents.name("");
    return commands
        .run("ipset", "list", "-name")
        .lines()
        .filter(name -> name.startsWith(own) && !contents.has(name));
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Forgets what was filled, so that {@link #removeUnused} removes everything. */
  void clear() {
    contents = contents(List.of());
  }
}
