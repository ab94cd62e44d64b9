package dev.caplance.host;

import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules that bring packets for the VIPs to the queues: the ports that are balanced and the ICMP
 * errors are queued, TCP in queues of its own, echo and neighbour discovery stay with the host, and
 * what else comes is dropped or left to the host. Without a program that reads the queues, the
 * kernel drops what is queued.
 *
 * <p>Rules that a crashed run left are replaced. Used by one thread at a time.
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

  private final List<RawTable> used = new ArrayList<>();
  private final List<RawTable> unused = new ArrayList<>();

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
  public NetfilterRules(List<Vip> vips, int firstQueue, int queueCount, CommandRunner commands) {
    String queue = target(firstQueue, queueCount);
    String tcpQueue = target(firstQueue + queueCount, queueCount);
    for (boolean ipv4 : new boolean[] {true, false}) {
      List<String> rules =
          vips.stream()
              .filter(vip -> IpAddresses.isIpv4(vip.address()) == ipv4)
              .flatMap(vip -> rules(vip, queue, tcpQueue).stream())
              .toList();
      (rules.isEmpty() ? unused : used).add(new RawTable(ipv4, rules, commands));
    }
  }

  private static String target(int first, int count) {
    return count == 1
        ? "-j NFQUEUE --queue-num " + first
        : "-j NFQUEUE --queue-balance " + first + ":" + (first + count - 1);
  }

  /** Puts the rules in place; what is left of older ones, also of another family, goes. */
  public void install() throws IOException {
    for (RawTable table : used) {
      table.install();
    }
    unused.forEach(NetfilterRules::removeIfPossible);
  }

  /**
   * Looks whether the rules are still as they were installed and puts them back if not. A rule that
   * somebody else has put before ours is not our business.
   *
   * @return what was wrong, a sentence for each family; empty when all was well
   */
  public List<String> check() throws IOException {
    List<String> repaired = new ArrayList<>();
    for (RawTable table : used) {
      repaired.addAll(table.check());
    }
    return repaired;
  }

  /** Removes the rules, if they are there. */
  public void remove() throws IOException {
    for (RawTable table : used) {
      table.remove();
    }
    unused.forEach(NetfilterRules::removeIfPossible);
  }

  /**
   * How many packets for each VIP were dropped as other traffic, since the rules were put in place
   * the last time; VIPs whose other traffic goes to the host are absent.
   */
  public Map<InetAddress, Long> droppedPackets() throws IOException {
    Map<InetAddress, Long> dropped = new LinkedHashMap<>();
    for (RawTable table : used) {
      for (String rule : table.rulesWithCounters()) {
        Matcher drop = DROP_RULE.matcher(rule);
        if (drop.matches()) {
          dropped.put(IpAddresses.parse(drop.group(2)), Long.parseLong(drop.group(1)));
        }
      }
    }
    return dropped;
  }

  /** A machine without this family has no rules of ours in it either. */
  private static void removeIfPossible(RawTable table) {
    try {
      table.remove();
    } catch (IOException e) {
      LOG.debug("no rules were looked for in a family that is not used", e);
    }
  }

  private static List<String> rules(Vip vip, String queue, String tcpQueue) {
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
