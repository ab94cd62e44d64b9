package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;

/** Makes a TCP connection and closes it. */
final class TcpProbe implements Probe {

  private final InetSocketAddress address;
  private final Duration timeout;

  TcpProbe(InetSocketAddress address, Duration timeout) {
    this.address = address;
    this.timeout = timeout;
  }

  @Override
  public Optional<String> look() throws InterruptedException {
    try {
      new Connection(address, timeout).close();
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(
          "tcp " + IpAddresses.format(address) + ": " + Connection.describe(e, timeout));
    }
  }
}
