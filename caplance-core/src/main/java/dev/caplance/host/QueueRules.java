package dev.caplance.host;

import dev.caplance.host.NetfilterRules.Vip;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The rules that say which packets go to which queue, as {@code iptables-save} prints them, without
 * {@code -A CHAIN}. All VIPs given are of this family.
 */
record QueueRules(boolean ipv4, String udpTarget, String tcpTarget) {

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

  private record Protocol(int number, String name) {}

  private static final List<Protocol> PROTOCOLS =
      List.of(new Protocol(IpProtocol.TCP, "tcp"), new Protocol(IpProtocol.UDP, "udp"));

  /** Rules for each VIP and each range of ports. */
  List<String> forEach(List<Vip> vips) {
    List<String> rules = new ArrayList<>();
    for (Vip vip : vips) {
      String to = to(vip);
      for (Protocol protocol : PROTOCOLS) {
        if (vip.ports().hasAll(protocol.number())) {
          rules.add(to + match(protocol) + target(protocol));
        } else {
          ports(vip, protocol).forEach(range -> rules.add(to + rule(protocol, range)));
        }
      }
      icmp(rules, to);
      rules.add(to + (vip.dropOther() ? "-j DROP" : "-j RETURN"));
    }
    return rules;
  }

  /** As many rules whatever the number of VIPs, with the VIPs and ports in sets. */
  List<String> withSets(ServiceSets.Contents sets, List<Vip> vips) {
    List<String> rules = new ArrayList<>();
    rules.add("-m set ! --match-set " + sets.vips() + " dst -j RETURN");
    for (Protocol protocol : PROTOCOLS) {
      if (sets.hasPorts()) {
        rules.add(match(protocol) + inSet(sets.ports()) + "dst,dst " + target(protocol));
      }
      String whole = sets.whole(protocol.number());
      if (sets.has(whole)) {
        rules.add(match(protocol) + inSet(whole) + "dst " + target(protocol));
      }
      for (Vip vip : vips) {
        ports(vip, protocol).stream()
            .filter(ServiceSets::isWide)
            .forEach(range -> rules.add(to(vip) + rule(protocol, range)));
      }
    }
    icmp(rules, "");
    if (sets.has(sets.dropped())) {
      rules.add(inSet(sets.dropped()) + "dst -j DROP");
    }
    return rules;
  }

  private static List<Ports.Range> ports(Vip vip, Protocol protocol) {
    return vip.ports().hasAll(protocol.number())
        ? List.of()
        : vip.ports().ranges(protocol.number());
  }

  private String rule(Protocol protocol, Ports.Range range) {
    return match(protocol)
        + "-m "
        + protocol.name()
        + " --dport "
        + (range.first() == range.last() ? "" : range.first() + ":")
        + range.last()
        + " "
        + target(protocol);
  }

  private void icmp(List<String> rules, String to) {
    String type = ipv4 ? "-p icmp -m icmp --icmp-type " : "-p ipv6-icmp -m icmp6 --icmpv6-type ";
    IntStream.of(ipv4 ? ICMP_QUEUED : ICMPV6_QUEUED)
        .forEach(queued -> rules.add(to + type + queued + " " + udpTarget));
    IntStream.of(ipv4 ? ICMP_FOR_HOST : ICMPV6_FOR_HOST)
        .forEach(left -> rules.add(to + type + left + " -j RETURN"));
  }

  private String to(Vip vip) {
    return "-d " + IpAddresses.format(vip.address()) + (ipv4 ? "/32 " : "/128 ");
  }

  private static String match(Protocol protocol) {
    return "-p " + protocol.name() + " ";
  }

  private static String inSet(String name) {
    return "-m set --match-set " + name + " ";
  }

  private String target(Protocol protocol) {
    return protocol.number() == IpProtocol.TCP ? tcpTarget : udpTarget;
  }
}
