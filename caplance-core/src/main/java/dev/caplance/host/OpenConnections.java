package dev.caplance.host;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Counts the TCP connections of other machines to certain addresses of this one, from the first SYN
 * until both sides have closed. Connections from such an address are this machine's own, such as
 * health checks, and do not count. Runs {@code ss}, for which the kernel selects the sockets
 * (sock_diag(7)), however many others there are. Any thread may call.
 */
public final class OpenConnections {

  /** In which data may still arrive: all but LISTEN, SYN-SENT, TIME-WAIT and CLOSED. */
  private static final List<String> OPEN_STATES =
      List.of(
          "syn-recv",
          "established",
          "fin-wait-1",
          "fin-wait-2",
          "close-wait",
          "last-ack",
          "closing");

  /** Milliseconds since data, or an acknowledgement, came; what is 0 is left out. */
  private static final Pattern AGES = Pattern.compile(" last(?:rcv|ack):(\\d+)");

  private static final int AGES_COUNT = 2;

  private final CommandRunner commands;
  private final String[] command;

  /**
   * A counter.
   *
   * @param local addresses of this machine, at least one
   */
  public OpenConnections(Collection<InetAddress> local, CommandRunner commands) {
    this.commands = commands;
    List<String> line = new ArrayList<>(List.of("ss", "-H", "-t", "-n", "-i"));
    OPEN_STATES.forEach(state -> line.addAll(List.of("state", state)));
    addAny(line, "src", local);
    line.addAll(List.of("and", "not"));
    addAny(line, "dst", local);
    this.command = line.toArray(String[]::new);
  }

  private static void addAny(List<String> line, String side, Collection<InetAddress> addresses) {
    String before = "(";
    for (InetAddress address : addresses) {
      String text = IpAddresses.format(address);
      String literal = IpAddresses.isIpv4(address) ? text : "[" + text + "]";
      line.addAll(List.of(before, side, literal));
      before = "or";
    }
    line.add(")");
  }

  /**
   * Counts; takes some milliseconds, or longer with very many connections.
   *
   * @param heardWithin connections without a packet from the other end for longer than this do not
   *     count
   * @throws IOException when {@code ss} is missing or fails
   */
  public int count(Duration heardWithin) throws IOException {
    int count = 0;
    for (String line : commands.run(command).lines().toList()) {
      // Details, if there are any, follow on a line of their own that begins with a space.
      if (!line.isBlank() && !Character.isWhitespace(line.charAt(0))) {
        count++;
      } else if (heardBefore(line, heardWithin)) {
        count--;
      }
    }
    return count;
  }

  private static boolean heardBefore(String details, Duration heardWithin) {
    List<Duration> ages =
        AGES.matcher(details)
            .results()
            .map(r -> Duration.ofMillis(Long.parseLong(r.group(1))))
            .toList();
    return ages.size() == AGES_COUNT
        && ages.stream().allMatch(age -> age.compareTo(heardWithin) > 0);
  }
}
