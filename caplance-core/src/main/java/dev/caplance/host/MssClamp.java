package dev.caplance.host;

import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import dev.caplance.packet.Ipv4;
import dev.caplance.packet.Ipv6;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps clients from sending TCP segments that would no longer fit once they are encapsulated:
 * lowers the maximum segment size (MSS, RFC 9293, 3.7.1) that the VIPs announce in a SYN or
 * SYN-ACK, and never raises it. Where the link to the load balancers takes larger packets than the
 * one to the clients, nothing changes.
 *
 * <p>The rules are in a chain {@code CAPLANCE-MSS} of each family's {@code mangle} table. Every
 * method goes on with the other family when one fails, and throws the failure at the end. Used by
 * one thread at a time.
 */
public final class MssClamp {

  private static final Logger LOG = LoggerFactory.getLogger(MssClamp.class);

  private static final String CHAIN = "CAPLANCE-MSS";
  private static final int TCP_HEADER = 20;

  private final List<Family> families;
  private final Map<Family, List<String>> applied = new LinkedHashMap<>();

  private boolean responsible;

  private record Family(boolean ipv4, OwnChains chains) {}

  /** A clamp that has not changed anything yet. */
  public MssClamp(CommandRunner commands) {
    this.families = Stream.of(true, false).map(ipv4 -> family(ipv4, commands)).toList();
  }

  private static Family family(boolean ipv4, CommandRunner commands) {
    return new Family(ipv4, new OwnChains(ipv4, "mangle", "POSTROUTING", List.of(CHAIN), commands));
  }

  /**
   * Limits the MSS of these addresses and of no others. Replaces all rules of ours, from an earlier
   * call or a crashed run.
   *
   * @param vips without any, the rules are removed
   * @param outerMtu the largest encapsulating packet, in bytes
   * @param outerIpv4 whether the encapsulating packets are IPv4
   */
  public void apply(List<InetAddress> vips, int outerMtu, boolean outerIpv4) throws IOException {
    responsible = true;
    Set<Family> before = Set.copyOf(applied.keySet());
    applied.clear();
    Failures failures = new Failures();
    for (Family family : families) {
      int mss = mss(outerMtu, outerIpv4, family.ipv4());
      List<String> rules =
          vips.stream()
              .filter(vip -> IpAddresses.isIpv4(vip) == family.ipv4())
              .map(vip -> rule(vip, mss))
              .toList();
      if (!rules.isEmpty()) {
        failures.attempt(() -> install(family, rules, mss));
      }
    }
    // After the rules that are wanted, so that these do not wait for a family that is not used.
    for (Family family : families) {
      if (vips.stream().noneMatch(vip -> IpAddresses.isIpv4(vip) == family.ipv4())) {
        failures.attempt(() -> clear(family, before.contains(family)));
      }
    }
    failures.throwIfAny();
  }

  private void install(Family family, List<String> rules, int mss) throws IOException {
    family.chains().install(rules);
    applied.put(family, rules);
    LOG.info("limited the MSS of the {} VIPs to {}", family.chains().family(), mss);
  }

  /** A machine without a family, or without iptables, has no rules of ours in it either. */
  private static void clear(Family family, boolean mustSucceed) throws IOException {
    try {
      family.chains().remove();
    } catch (IOException e) {
      if (mustSucceed) {
        throw e;
      }
      LOG.debug("cannot look for old {} MSS rules", family.chains().family(), e);
    }
  }

  /** The bytes left for the data of a TCP segment without options. */
  static int mss(int outerMtu, boolean outerIpv4, boolean ipv4) {
    int headers = (ipv4 ? Ipv4.MIN_HEADER : Ipv6.HEADER) + TCP_HEADER;
    return outerMtu - Encapsulation.overhead(outerIpv4) - headers;
  }

  private static String rule(InetAddress vip, int mss) {
    return "-A "
        + CHAIN
        + " -s "
        + IpPrefix.of(vip)
        + " -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss "
        + mss;
  }

  /**
   * Checks that the rules are still as they were applied, and puts them back if not.
   *
   * @return what was wrong, a sentence for each family; empty if nothing was
   */
  public List<String> check() throws IOException {
    List<String> repaired = new ArrayList<>();
    Failures failures = new Failures();
    applied.forEach(
        (family, rules) ->
            failures.attempt(
                () -> {
                  String difference = family.chains().difference();
                  if (!difference.isEmpty()) {
                    family.chains().install(rules);
                    repaired.add(
                        "the "
                            + family.chains().family()
                            + " MSS rules "
                            + difference
                            + "; put back");
                  }
                }));
    failures.throwIfAny();
    return repaired;
  }

  /**
   * Removes the rules, if they are there. Does nothing when none were applied by this object: they
   * may be those of another daemon, because of which this one could not start.
   */
  public void remove() throws IOException {
    if (responsible) {
      removeLeftovers();
    }
  }

  /** Removes the rules, whoever applied them. */
  public void removeLeftovers() throws IOException {
    apply(List.of(), 0, true);
  }
}
