package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;

/** Makes a TCP connection and closes it. */
final class TcpChecker implements Checker {

  private final InetSocketAddress address;
  private final Duration timeout;

  TcpChecker(InetSocketAddress address, Duration timeout) {
    this.address = address;
    this.timeout = timeout;
  }

  @Override
  public Optional<String> attempt() throws InterruptedException {
    try {
      new CheckConnection(address, timeout).close();
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(
          "tcp " + IpAddresses.format(address) + ": " + CheckConnection.describe(e, timeout));
    }
  }
}
