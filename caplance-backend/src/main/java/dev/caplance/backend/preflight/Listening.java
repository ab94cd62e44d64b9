package dev.caplance.backend.preflight;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Checks that an application listens where the clients' packets are delivered, and for UDP that it
 * is bound there: a socket without an address answers from the one that the route to the client
 * prefers, and a client that asked the VIP discards that.
 *
 * @param dataPort of the daemon itself
 * @param checkedPorts ports of VIPs on which the application must listen, since a health check asks
 *     there
 */
public record Listening(List<InetAddress> vips, int dataPort, Set<Target> checkedPorts) {

  /**
   * A port of a VIP.
   *
   * @param protocol {@code tcp} or {@code udp}
   */
  public record Target(String protocol, InetAddress vip, int port) {

    @Override
    public String toString() {
      return protocol.toUpperCase(Locale.ROOT) + " port " + port + " of " + IpAddresses.format(vip);
    }
  }

  /**
   * From here on the kernel chooses ports for clients such as resolvers ({@code
   * net.ipv4.ip_local_port_range}).
   */
  private static final int FIRST_EPHEMERAL = 32_768;

  /** A line of {@code ss -Hltun}: protocol, state, two queues, local address and port. */
  private static final Pattern LINE =
      Pattern.compile("(tcp|udp)\\s+\\S+\\s+\\d+\\s+\\d+\\s+(\\S+):(\\d+)\\s.*");

  private static final Pattern MAPPED = Pattern.compile("^\\[::ffff:([0-9.]+)]$");

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

    boolean serves(Target target) {
      return protocol.equals(target.protocol()) && port == target.port() && serves(target.vip());
    }

    boolean serves(InetAddress vip) {
      boolean ipv4 = IpAddresses.isIpv4(vip);
      return switch (address) {
        case "*" -> true;
        case "0.0.0.0" -> ipv4;
        case "[::]" -> !ipv4;
        default -> address.equals(ipv4 ? IpAddresses.format(vip) : inBrackets(vip));
      };
    }

    boolean isBoundTo(InetAddress vip) {
      return serves(vip) && !isBoundToAll();
    }

    private boolean isBoundToAll() {
      return address.equals("*") || address.equals("0.0.0.0") || address.equals("[::]");
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
      if (all.stream().noneMatch(socket -> socket.serves(target))) {
        String flags = target.protocol().equals("tcp") ? "-ltn" : "-lun";
        findings.add(
            nothing(target.toString(), target.vip(), "ss " + flags + " sport = :" + target.port()));
      }
    }
    vips.forEach(vip -> findings.addAll(answersFromElsewhere(vip, all)));
    return findings;
  }

  private List<Finding> answersFromElsewhere(InetAddress vip, List<Socket> all) {
    return all.stream()
        .filter(socket -> socket.protocol().equals("udp") && isApplication(socket))
        .map(socket -> new Target("udp", vip, socket.port()))
        .distinct()
        .filter(port -> port.port() < FIRST_EPHEMERAL || checkedPorts.contains(port))
        .filter(port -> all.stream().anyMatch(socket -> socket.serves(port)))
        .filter(port -> all.stream().noneMatch(s -> s.serves(port) && s.isBoundTo(vip)))
        .map(
            port ->
                Finding.warns(
                    port + " is served by a socket that is bound to no address",
                    "ss -lun sport = :" + port.port(),
                    "bind the application to "
                        + IpAddresses.format(vip)
                        + ", or clients will discard its answers, which come from this machine's"
                        + " own address; if it chooses the address itself, prove it with a check of"
                        + " type udp"))
        .toList();
  }

  /** A socket for IPv6 may be bound to an IPv4 address, as Java's are. */
  private static Socket socket(Matcher line) {
    String address = MAPPED.matcher(line.group(2)).replaceFirst("$1");
    return new Socket(line.group(1), address, Integer.parseInt(line.group(3)));
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
            + ", or if it speaks TCP on "
            + (IpAddresses.isIpv4(vip) ? "0.0.0.0" : "::"));
  }
}
