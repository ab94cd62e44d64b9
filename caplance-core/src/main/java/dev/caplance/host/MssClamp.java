package dev.caplance.host;

import static java.util.stream.Collectors.joining;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps clients from sending TCP segments that would not fit any more once they are encapsulated:
 * lowers the maximum segment size (MSS, RFC 9293, 3.7.1) that the VIPs announce in a SYN or its
 * answer, and never raises it. Where the link to the load balancers takes larger packets than the
 * one to the clients, nothing changes.
 *
 * <p>The rules are in a chain {@code CAPLANCE-MSS} of each family's {@code mangle} table. Those
 * that a crashed run left are replaced, or removed. Used by one thread at a time.
 */
public final class MssClamp {

  private static final Logger LOG = LoggerFactory.getLogger(MssClamp.class);

  private static final String CHAIN = "CAPLANCE-MSS";

  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int TCP_HEADER = 20;
  private static final int UDP_HEADER = 8;

  private final Map<OwnChains, List<String>> used = new LinkedHashMap<>();
  private final List<OwnChains> unused = new ArrayList<>();

  /**
   * Rules that are not in place yet.
   *
   * @param vips whose MSS is lowered; without any, only what is left of older rules is removed
   * @param underlayMtu of the encapsulating packets, in bytes
   * @param ipv4Underlay whether those are IPv4
   */
  public MssClamp(
      List<InetAddress> vips, int underlayMtu, boolean ipv4Underlay, CommandRunner commands) {
    for (boolean ipv4 : new boolean[] {true, false}) {
      int mss = mss(underlayMtu, ipv4Underlay, ipv4);
      List<String> rules =
          vips.stream()
              .filter(vip -> IpAddresses.isIpv4(vip) == ipv4)
              .map(vip -> rule(vip, mss))
              .toList();
      OwnChains chains = new OwnChains(ipv4, "mangle", "POSTROUTING", List.of(CHAIN), commands);
      if (rules.isEmpty()) {
        unused.add(chains);
      } else {
        used.put(chains, rules);
      }
    }
  }

  /** What is left for the data of a TCP segment without options. */
  static int mss(int underlayMtu, boolean ipv4Underlay, boolean ipv4) {
    int encapsulation = (ipv4Underlay ? IPV4_HEADER : IPV6_HEADER) + UDP_HEADER;
    return underlayMtu - encapsulation - (ipv4 ? IPV4_HEADER : IPV6_HEADER) - TCP_HEADER;
  }

  private static String rule(InetAddress vip, int mss) {
    return "-A "
        + CHAIN
        + " -s "
        + IpAddresses.format(vip)
        + (IpAddresses.isIpv4(vip) ? "/32" : "/128")
        + " -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss "
        + mss;
  }

  /** Puts the rules in place; what is left of older ones, also of another family, goes. */
  public void install() throws IOException {
    for (Map.Entry<OwnChains, List<String>> chains : used.entrySet()) {
      chains.getKey().install(chains.getValue());
    }
    unused.forEach(MssClamp::removeIfPossible);
    if (!used.isEmpty()) {
      LOG.info("keep the MSS of the virtual addresses to {}", sizes());
    }
  }

  private String sizes() {
    return used.values().stream()
        .map(rules -> rules.get(0).replaceFirst(".* ", ""))
        .collect(joining(" and "));
  }

  /**
   * Looks whether the rules are still as they were installed and puts them back if not.
   *
   * @return what was wrong, a sentence for each family; empty when all was well
   */
  public List<String> check() throws IOException {
    List<String> repaired = new ArrayList<>();
    for (Map.Entry<OwnChains, List<String>> chains : used.entrySet()) {
      String difference = chains.getKey().difference();
      if (!difference.isEmpty()) {
        chains.getKey().install(chains.getValue());
        repaired.add("the " + chains.getKey().family() + " MSS rules " + difference + "; put back");
      }
    }
    return repaired;
  }

  /** Removes the rules, if they are there. */
  public void remove() throws IOException {
    for (OwnChains chains : used.keySet()) {
      chains.remove();
    }
    unused.forEach(MssClamp::removeIfPossible);
  }

  /** A machine without this family, or without iptables, has no rules of ours in it either. */
  private static void removeIfPossible(OwnChains chains) {
    try {
      chains.remove();
    } catch (IOException e) {
      LOG.debug("no MSS rules were looked for in a family that is not used", e);
    }
  }
}
