package dev.caplance.host;

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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules that direct packets for the VIPs to the queues: the ports that are balanced and ICMP
 * errors are queued, TCP in queues of its own; echo and neighbour discovery stay with the host;
 * other packets are dropped or left to the host. While no program reads the queues, the kernel
 * drops what is queued.
 *
 * <p>Rules that a crashed run left are replaced. {@link #droppedPackets} may be called by any
 * thread, the other methods by one at a time.
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
  private boolean counts;
  private volatile Map<InetAddress, Long> dropped = Map.of();

  /**
   * A virtual address.
   *
   * @param ports that are queued
   * @param dropOther whether packets that are neither queued nor for the host's ping and neighbour
   *     discovery are dropped and counted; otherwise the host gets them
   */
  public record Vip(InetAddress address, Ports ports, boolean dropOther) {}

  /**
   * Rules that are not in place yet.
   *
   * @param firstQueue 0 to 65535
   * @param queueCount at least 1; the kernel spreads flows over these many queues, and those of TCP
   *     over as many behind them
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
   * Puts the rules for these VIPs in place of whatever is there of ours; rules of a family without
   * a VIP are removed.
   */
  public void apply(List<Vip> vips) throws IOException {
    counts = vips.stream().anyMatch(Vip::dropOther);
    dropped = Map.of();
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
   * Looks whether the rules are still as they were applied, puts them back if not, and reads their
   * counters. Rules that somebody else has put before ours are theirs.
   *
   * @return what was wrong, a sentence for each family; empty when all was well
   */
  public List<String> check() throws IOException {
    List<String> repaired = new ArrayList<>();
    for (RawTable table : used()) {
      repaired.addAll(table.check());
    }
    if (counts) {
      dropped = readDropped();
    }
    return repaired;
  }

  private List<RawTable> used() {
    return tableOfIpv4.values().stream().filter(table -> !table.isEmpty()).toList();
  }

  /** Removes the rules, if they are there. */
  public void remove() throws IOException {
    for (RawTable table : used()) {
      table.apply(List.of());
    }
    tableOfIpv4.values().forEach(NetfilterRules::removeIfPossible);
  }

  /**
   * How many packets for each VIP were dropped as other traffic since the rules were last put in
   * place, as of the last {@link #check}; VIPs whose other traffic goes to the host are absent.
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

  /** A machine without this family has no rules of ours in it either. */
  private static void removeIfPossible(RawTable table) {
    try {
      table.apply(List.of());
    } catch (IOException e) {
      LOG.debug("no rules were looked for in a family that is not used", e);
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
