package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.net.InetSocketAddress;
import java.util.List;

/** What is checked; its type says how. */
public sealed interface CheckTarget {

  /** Healthy if a TCP connection can be made. */
  record Tcp(InetSocketAddress address) implements CheckTarget {

    @Override
    public String type() {
      return "tcp";
    }

    @Override
    public String name() {
      return IpAddresses.format(address);
    }
  }

  /**
   * Healthy if a GET request is answered with the expected status.
   *
   * @param path of the request, with its query if it has one; begins with a slash
   * @param expectedStatus 100 to 599
   */
  record Http(InetSocketAddress address, String path, int expectedStatus) implements CheckTarget {

    @Override
    public String type() {
      return "http";
    }

    @Override
    public String name() {
      return IpAddresses.format(address) + path;
    }
  }

  /**
   * Healthy if a program exits with code 0.
   *
   * @param line the program and its arguments
   */
  record Command(List<String> line) implements CheckTarget {

    public Command {
      line = List.copyOf(line);
    }

    @Override
    public String type() {
      return "command";
    }

    @Override
    public String name() {
      return String.join(" ", line);
    }
  }

  /** The kind of check: {@code tcp}, {@code http} or {@code command}. */
  String type();

  /** What is checked, for operators: {@code 10.0.0.50:80/health}. */
  String name();
}
