package dev.caplance.host;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Counts the TCP connections that this machine has at certain addresses of its own, from the first
 * SYN until both sides have closed. Asks through {@code ss}, for which the kernel picks out the
 * sockets itself (sock_diag(7)), whatever else there is. Any thread may call.
 */
public final class OpenConnections {

  /** Where data may still come: all but LISTEN, SYN-SENT, TIME-WAIT and CLOSED. */
  private static final List<String> OPEN_STATES =
      List.of(
          "syn-recv",
          "established",
          "fin-wait-1",
          "fin-wait-2",
          "close-wait",
          "last-ack",
          "closing");

  private final CommandRunner commands;
  private final String[] command;

  /**
   * A counter.
   *
   * @param local addresses of this machine, at least one
   */
  public OpenConnections(Collection<InetAddress> local, CommandRunner commands) {
    this.commands = commands;
    List<String> line = new ArrayList<>(List.of("ss", "-H", "-t", "-n"));
    OPEN_STATES.forEach(state -> line.addAll(List.of("state", state)));
    for (InetAddress address : local) {
      line.add(line.contains("src") ? "or" : "(");
      String text = IpAddresses.format(address);
      line.addAll(List.of("src", IpAddresses.isIpv4(address) ? text : "[" + text + "]"));
    }
    line.add(")");
    this.command = line.toArray(String[]::new);
  }

  /**
   * Counts; takes some milliseconds, with very many connections more.
   *
   * @throws IOException when {@code ss} is missing or fails
   */
  public int count() throws IOException {
    return Math.toIntExact(commands.run(command).lines().filter(line -> !line.isBlank()).count());
  }
}
