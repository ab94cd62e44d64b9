package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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
   * Healthy if a GET request is answered with an expected status, and with what the answer must
   * have.
   *
   * @param address where the request is sent
   * @param path of the request, with its query if it has one; begins with a slash
   * @param expected the statuses, 200 to 599
   * @param host the name that the request is for; empty for the address
   * @param answer what the body must have within its first {@value #MAX_BODY} bytes, if anything
   * @param tls how the server is trusted; empty for HTTP without TLS
   */
  record Http(
      InetSocketAddress address,
      String path,
      StatusCodes expected,
      Optional<String> host,
      Optional<AnswerMatch> answer,
      Optional<Tls> tls)
      implements CheckTarget {

    static final int MAX_BODY = 1 << 16;

    @Override
    public String type() {
      return tls.isPresent() ? "https" : "http";
    }

    @Override
    public String name() {
      return IpAddresses.format(address) + path;
    }
  }

  /**
   * How the server of an HTTPS check is trusted.
   *
   * @param verify whether its certificate must be trusted, in date and for the check's host
   * @param ca a PEM file with the certificates that are trusted, in place of Java's own
   */
  record Tls(boolean verify, Optional<Path> ca) {}

  /**
   * Healthy if a datagram is answered from the address that it was sent to.
   *
   * @param address where it is sent
   * @param from an address of this machine that is not a VIP: to a VIP, even a server that listens
   *     on all addresses would reply from it
   * @param payload what it carries
   * @param answer what the answer must have, if anything
   */
  record Udp(
      InetSocketAddress address, InetAddress from, ByteBuffer payload, Optional<AnswerMatch> answer)
      implements CheckTarget {

    public Udp {
      payload = payload.asReadOnlyBuffer();
    }

    @Override
    public String type() {
      return "udp";
    }

    @Override
    public String name() {
      return IpAddresses.format(address);
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

  /** The kind of check: {@code tcp}, {@code http}, {@code https}, {@code udp}, {@code command}. */
  String type();

  /** What is checked, for operators: {@code 10.0.0.50:80/health}. */
  String name();
}
