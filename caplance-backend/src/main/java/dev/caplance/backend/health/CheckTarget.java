package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.net.InetSocketAddress;
import java.util.List;

/** What is checked, and by that how. */
public sealed interface CheckTarget {

  /** A TCP connection can be made. */
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
   * A GET request is answered with a status.
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
   * A program ends with exit code 0.
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

  /** The word for the kind of check: {@code tcp}, {@code http} or {@code command}. */
  String type();

  /** What is checked, for operators: {@code 10.0.0.50:80/health}. */
  String name();
}
