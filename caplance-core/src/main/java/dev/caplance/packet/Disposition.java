package dev.caplance.packet;

/**
 * What becomes of a packet: it goes on, or the reason why it does not. Each data plane counts them
 * one by one, in cells that the ids name.
 */
public enum Disposition {
  FORWARD(0, "forwarded", "The packet goes on."),

  PATH_PROBE(1, "sanity check", "No packet, but a path probe of a load balancer."),

  MALFORMED(2, "malformed", "Neither an IPv4 nor an IPv6 packet, or its headers are cut short."),

  WRONG_LENGTH(3, "wrong length", "A length field contradicts the number of bytes that came."),

  WRONG_CHECKSUM(4, "wrong checksum", "The checksum of the IPv4 header is wrong."),

  TOO_LARGE(
      5, "too large", "Larger than a queue or a datagram can carry, so only part of it came."),

  PATH_TOO_NARROW(
      6,
      "larger than the path to the backend",
      "It exceeds the path MTU to its backend, and its sender is told the MTU."),

  FRAGMENT(7, "fragment", "A fragment, whose flow is unknown."),

  UNKNOWN_PROTOCOL(8, "unknown protocol", "A protocol without flows here."),

  MARTIAN_SOURCE(
      9,
      "martian source",
      "A source that is never valid: 0/8, 127/8, 224/3, ::, ::1, ff00::/8, v4-mapped."),

  OWN_SOURCE(
      10, "own address as source", "The source is a VIP or an address of this machine: a loop."),

  NOT_A_VIP(11, "not for a VIP", "The destination is no VIP of this daemon."),

  LEFT_TO_HOST(
      12,
      "left to the host",
      "For the machine itself: no service has it, or it is an error about a packet without a"
          + " flow."),

  NO_BACKEND(13, "no backend", "No backend may take a packet of the service."),

  STRANGER(14, "not from a load balancer", "No load balancer of this backend sent it."),

  SEND_FAILED(
      15, "send failed", "The kernel refused to send it: no room, no route, or a firewall."),

  ENCAPSULATED(
      16,
      "encapsulated already",
      "It holds what a load balancer sends to a backend: forwarding it would make a loop.");

  private final int id;
  private final String label;
  private final String description;

  Disposition(int id, String label, String description) {
    this.id = id;
    this.label = label;
    this.description = description;
  }

  /** From 0; never given to another disposition. */
  public int id() {
    return id;
  }

  /** The name under which users meet the count, in lower case. */
  public String label() {
    return label;
  }

  /** A sentence for people. */
  public String description() {
    return description;
  }
}
