package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
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
    return connect().map(problem -> "tcp " + IpAddresses.format(address) + ": " + problem);
  }

  private Optional<String> connect() throws InterruptedException {
    // The socket of a channel: an interrupt closes no other.
    try (SocketChannel channel = SocketChannel.open()) {
      channel.socket().connect(address, Math.toIntExact(timeout.toMillis()));
      // On one machine TCP can connect a socket to itself, if the socket gets that port as its own.
      return address.equals(channel.getLocalAddress())
          ? Optional.of("connection refused")
          : Optional.empty();
    } catch (SocketTimeoutException e) {
      return Optional.of(Checker.late(timeout));
    } catch (IOException e) {
      return Optional.of(Checker.describe(e));
    }
  }
}
