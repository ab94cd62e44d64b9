package dev.caplance.preflight;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Locale;

/**
 * A port that a daemon is going to take. Not to be made while it has it.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param address where the daemon will bind; an address that this machine does not have is no
 *     finding here
 * @param key what the port is called in the configuration
 */
public record FreePort(String protocol, InetSocketAddress address, String key)
    implements PreflightCheck {

  @Override
  public List<Finding> look() throws IOException {
    try {
      bind();
      return List.of();
    } catch (BindException e) {
      return e.getMessage().contains("already in use")
          ? List.of(
              Finding.stops(
                  protocol.toUpperCase(Locale.ROOT) + " " + address.getPort() + " is taken",
                  IpAddresses.format(address),
                  "stop what 'ss -Hlp"
                      + protocol.charAt(0)
                      + "n sport = :"
                      + address.getPort()
                      + "' shows, or set "
                      + key))
          : List.of();
    }
  }

  private void bind() throws IOException {
    if (protocol.equals("udp")) {
      new DatagramSocket(address).close();
    } else {
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(address);
      }
    }
  }
}
