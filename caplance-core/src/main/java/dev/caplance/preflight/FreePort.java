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
 * Checks that a port which a daemon will bind is free. Not to be used while the daemon runs.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param address where the daemon will bind; that this machine does not have the address is not
 *     reported here
 * @param key what the port is called in the configuration
 */
public record FreePort(String protocol, InetSocketAddress address, String key)
    implements Preflight.Check {

  @Override
  public List<Finding> findings() throws IOException {
    try {
      bind();
      return List.of();
    } catch (BindException e) {
      return e.getMessage().contains("already in use")
          ? List.of(
              Finding.stops(
                  protocol.toUpperCase(Locale.ROOT)
                      + " port "
                      + address.getPort()
                      + " is already in use",
                  IpAddresses.format(address),
                  "stop the program that 'ss -Hlp"
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
