package dev.caplance.backend.preflight;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Checks that an application listens where the clients' packets are delivered.
 *
 * @param dataPort of the daemon itself
 * @param checkedPorts TCP ports of VIPs on which the application must listen, since a health check
 *     connects to them
 */
public record Listening(List<InetAddress> vips, int dataPort, Set<Target> checkedPorts) {

  /** A TCP port of a VIP. */
  public record Target(InetAddress vip, int port) {}

  /** A line of {@code ss -Hltun}: protocol, state, two queues, local address and port. */
  private static final Pattern LINE =
      Pattern.compile("(tcp|udp)\\s+\\S+\\s+\\d+\\s+\\d+\\s+(\\S+):(\\d+)\\s.*");

  /** What listens on nearly every machine and is hardly what a VIP is for. */
  private static final Set<String> HOUSEKEEPING =
      Set.of(
          "tcp/22",
          "tcp/111",
          "udp/68",
          "udp/111",
          "udp/123",
          "udp/323",
          "udp/546",
          "udp/5353",
          "tcp/5355",
          "udp/5355");

  private record Socket(String protocol, String address, int port) {

    boolean serves(InetAddress vip) {
      boolean ipv4 = IpAddresses.isIpv4(vip);
      return switch (address) {
        case "*" -> true;
        case "0.0.0.0" -> ipv4;
        case "[::]" -> !ipv4;
        default -> address.equals(ipv4 ? IpAddresses.format(vip) : inBrackets(vip));
      };
    }

    private static String inBrackets(InetAddress vip) {
      return "[" + IpAddresses.format(vip) + "]";
    }
  }

  /**
   * Checks; empty if nothing is wrong.
   *
   * @param sockets the output of {@code ss -Hltun}
   */
  public List<Finding> findings(String sockets) {
    List<Socket> all =
        sockets.lines().map(LINE::matcher).filter(Matcher::matches).map(Listening::socket).toList();
    List<Finding> findings = new ArrayList<>();
    for (InetAddress vip : vips) {
      if (all.stream().noneMatch(socket -> isApplication(socket) && socket.serves(vip))) {
        findings.add(nothing(IpAddresses.format(vip), vip, "ss -ltun"));
      }
    }
    for (Target target : checkedPorts) {
      boolean served =
          all.stream()
              .anyMatch(
                  s ->
                      s.protocol().equals("tcp")
                          && s.port() == target.port()
                          && s.serves(target.vip()));
      if (!served) {
        String what = "TCP port " + target.port() + " of " + IpAddresses.format(target.vip());
        findings.add(nothing(what, target.vip(), "ss -ltn sport = :" + target.port()));
      }
    }
    return findings;
  }

  private static Socket socket(Matcher line) {
    return new Socket(line.group(1), line.group(2), Integer.parseInt(line.group(3)));
  }

  private boolean isApplication(Socket socket) {
    boolean own = socket.protocol().equals("udp") && socket.port() == dataPort;
    return !own && !HOUSEKEEPING.contains(socket.protocol() + "/" + socket.port());
  }

  private static Finding nothing(String what, InetAddress vip, String where) {
    return Finding.stops(
        "nothing listens on " + what,
        where,
        "start the application and have it listen on "
            + IpAddresses.format(vip)
            + " or "
            + (IpAddresses.isIpv4(vip) ? "0.0.0.0" : "::"));
  }
}
