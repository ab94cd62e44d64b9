package dev.caplance.host;

import dev.caplance.linux.LinuxException;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules that direct packets for the VIPs to the queues. Balanced ports and ICMP errors are
 * queued, TCP in queues of its own; echo and neighbour discovery stay with the host; other packets
 * are dropped or left to the host. While no program reads the queues, the kernel drops what is
 * queued; while another program has removed the rules, a {@link GuardTable} drops it.
 *
 * <p>Rules left by a crash are replaced. Any thread may call {@link #droppedPackets}; calls of the
 * other methods must not overlap.
 */
public final class NetfilterRules {

  private static final Logger LOG = LoggerFactory.getLogger(NetfilterRules.class);

  /** Destination unreachable, time exceeded, parameter problem (RFC 792). */
  private static final int[] ICMP_QUEUED = {3, 11, 12};

  /** Echo reply and request. */
  private static final int[] ICMP_FOR_HOST = {0, 8};

  /** Unreachable, packet too big, time exceeded, parameter problem (RFC 4443). */
  private static final int[] ICMPV6_QUEUED = {1, 2, 3, 4};

  /** Echo (RFC 4443), multicast listeners (RFC 2710, 3810), neighbour discovery (RFC 4861). */
  private static final int[] ICMPV6_FOR_HOST = {
    128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143
  };

  private static final Pattern DROP_RULE =
      Pattern.compile("\\[(\\d+):\\d+] -A " + RawTable.CHAIN + " -d ([^/ ]+)/\\d+ -j DROP");

  private final String queue;
  private final String tcpQueue;
  private final Map<Boolean, RawTable> tableOfIpv4;
  private final GuardTable guard = new GuardTable();
  private boolean countsDropped;
  private OptionalInt checked = OptionalInt.empty();
  private volatile Map<InetAddress, Long> dropped = Map.of();

  /**
   * A virtual address.
   *
   * @param ports the ports that are queued
   * @param dropOther whether all packets are dropped and counted that are neither queued nor part
   *     of the host's ping and neighbour discovery; otherwise the host gets them
   */
  public record Vip(InetAddress address, Ports ports, boolean dropOther) {}

  /**
   * Creates the rules without installing them.
   *
   * @param firstQueue 0 to 65535
   * @param queueCount at least 1; the kernel spreads flows over this many queues, and those of TCP
   *     over as many that follow
   * @param commands runs the netfilter commands
   */
  public NetfilterRules(int firstQueue, int queueCount, CommandRunner commands) {
    queue = target(firstQueue, queueCount);
    tcpQueue = target(firstQueue + queueCount, queueCount);
    tableOfIpv4 = Map.of(true, new RawTable(true, commands), false, new RawTable(false, commands));
  }

  private static String target(int first, int count) {
    return count == 1
        ? "-j NFQUEUE --queue-num " + first
        : "-j NFQUEUE --queue-balance " + first + ":" + (first + count - 1);
  }

  /**
   * Installs the rules for these VIPs in place of all rules of ours. In an address family without a
   * VIP, ours are removed.
   *
   * @throws IOException if the host refuses them, with a message for the operator
   */
  public void apply(List<Vip> vips) throws IOException {
    countsDropped = vips.stream().anyMatch(Vip::dropOther);
    dropped = Map.of();
    checked = OptionalInt.empty();
    guard.apply(vips);
    for (boolean ipv4 : new boolean[] {true, false}) {
      List<String> rules =
          vips.stream()
              .filter(vip -> IpAddresses.isIpv4(vip.address()) == ipv4)
              .flatMap(vip -> rules(vip).stream())
              .toList();
      if (rules.isEmpty()) {
        removeIfPossible(tableOfIpv4.get(ipv4));
      } else {
        tableOfIpv4.get(ipv4).apply(rules);
      }
    }
  }

  /**
   * Checks that the rules are as they were applied, restores them if not, and reads their counters.
   * Rules that others have put before ours are left alone. While nothing has changed, this costs
   * next to nothing, unless there are counters to read.
   *
   * @return what was wrong, a sentence for each address family; empty if nothing was
   * @throws IOException if the rules cannot be read or restored
   */
  public List<String> check() throws IOException {
    List<String> repaired = new ArrayList<>();
    OptionalInt generation = generation();
    if (generation.isEmpty() || !generation.equals(checked)) {
      for (RawTable table : used()) {
        repaired.addAll(table.restoreIfFlushed());
      }
      for (RawTable table : used()) {
        repaired.addAll(table.check());
      }
      repaired.addAll(guard.check());
      checked = generation;
    }
    if (countsDropped) {
      dropped = readDropped();
    }
    return repaired;
  }

  /** Empty where the kernel does not tell. */
  private static OptionalInt generation() {
    try {
      return OptionalInt.of(NftState.generation());
    } catch (LinuxException e) {
      LOG.debug("cannot read the generation of nftables", e);
      return OptionalInt.empty();
    }
  }

  private List<RawTable> used() {
    return tableOfIpv4.values().stream().filter(table -> !table.isEmpty()).toList();
  }

  /** Removes the rules if they are there. */
  public void remove() throws IOException {
    for (RawTable table : used()) {
      table.apply(List.of());
    }
    tableOfIpv4.values().forEach(NetfilterRules::removeIfPossible);
    guard.close();
  }

  /**
   * The number of packets for each VIP that were dropped as other traffic since the rules were last
   * installed, as of the last {@link #check}. VIPs whose other traffic is left to the host are
   * absent.
   */
  public Map<InetAddress, Long> droppedPackets() {
    return dropped;
  }

  private Map<InetAddress, Long> readDropped() throws IOException {
    Map<InetAddress, Long> counters = new LinkedHashMap<>();
    for (RawTable table : used()) {
      for (String rule : table.rulesWithCounters()) {
        Matcher drop = DROP_RULE.matcher(rule);
        if (drop.matches()) {
          counters.put(IpAddresses.parse(drop.group(2)), Long.parseLong(drop.group(1)));
        }
      }
    }
    return Collections.unmodifiableMap(counters);
  }

  /**
   * Removes what is left of ours in an unused address family. A machine without that family has
   * nothing to remove.
   */
  private static void removeIfPossible(RawTable table) {
    try {
      table.apply(List.of());
    } catch (IOException e) {
      LOG.debug("cannot look for rules in an unused address family", e);
    }
  }

  private List<String> rules(Vip vip) {
    boolean ipv4 = IpAddresses.isIpv4(vip.address());
    String to = "-d " + IpAddresses.format(vip.address()) + (ipv4 ? "/32 " : "/128 ");
    String icmp = ipv4 ? "-p icmp -m icmp --icmp-type " : "-p ipv6-icmp -m icmp6 --icmpv6-type ";
    List<String> rules = new ArrayList<>();
    matches("tcp", IpProtocol.TCP, vip.ports()).forEach(match -> rules.add(to + match + tcpQueue));
    matches("udp", IpProtocol.UDP, vip.ports()).forEach(match -> rules.add(to + match + queue));
    IntStream.of(ipv4 ? ICMP_QUEUED : ICMPV6_QUEUED)
        .forEach(type -> rules.add(to + icmp + type + " " + queue));
    IntStream.of(ipv4 ? ICMP_FOR_HOST : ICMPV6_FOR_HOST)
        .forEach(type -> rules.add(to + icmp + type + " -j RETURN"));
    rules.add(to + (vip.dropOther() ? "-j DROP" : "-j RETURN"));
    return rules;
  }

  private static List<String> matches(String name, int protocol, Ports ports) {
    String match = "-p " + name + " ";
    return ports.hasAll(protocol)
        ? List.of(match)
        : ports.ranges(protocol).stream()
            .map(range -> match + "-m " + name + " --dport " + dport(range) + " ")
            .toList();
  }

  private static String dport(Ports.Range range) {
    return range.first() == range.last()
        ? Integer.toString(range.first())
        : range.first() + ":" + range.last();
  }
}
