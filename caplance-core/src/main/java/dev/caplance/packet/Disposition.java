package dev.caplance.packet;

/**
 * What becomes of a packet: it goes on, or why not. Each data plane counts them one by one; the
 * label is the name under which users meet the count.
 */
public enum Disposition {
  /** The packet goes on. */
  FORWARD("forwarded"),

  /** No packet at all, but a load balancer that asks whether the way is open. */
  SANITY_CHECK("sanity check"),

  /** Neither an IPv4 nor an IPv6 packet, or its headers are cut short. */
  MALFORMED("malformed"),

  /** A length field that contradicts the bytes that came. */
  WRONG_LENGTH("wrong length"),

  /** The IPv4 header checksum is wrong. */
  WRONG_CHECKSUM("wrong checksum"),

  /** Only a part of the packet came: larger than a queue or a datagram can carry. */
  TOO_LARGE("too large"),

  /** It does not fit through the network to its backend and must not be cut; its sender is told. */
  PATH_TOO_NARROW("larger than the path to the backend"),

  /** A fragment: its flow cannot be told. */
  FRAGMENT("fragment"),

  /** A protocol that has no flows here. */
  UNKNOWN_PROTOCOL("unknown protocol"),

  /** A source that nobody may send from: 0/8, 127/8, 224/3, ::, ::1, ff00::/8, v4-mapped. */
  MARTIAN_SOURCE("martian source"),

  /** A source that is a VIP or an address of this machine: it would loop. */
  OWN_SOURCE("own address as source"),

  /** The destination is no VIP of this daemon. */
  NOT_A_VIP("not for a VIP"),

  /** No service has it, or it is an error about a packet without a flow: the machine gets it. */
  LEFT_TO_HOST("left to the host"),

  /** No backend may take a packet of the service. */
  NO_BACKEND("no backend"),

  /** An encapsulated packet that no load balancer of this backend sent. */
  STRANGER("not from a load balancer"),

  /** The kernel refused to send it: no room, no route, a firewall. */
  SEND_FAILED("send failed");

  private final String label;

  Disposition(String label) {
    this.label = label;
  }

  /** The name for people, in lower case. */
  public String label() {
    return label;
  }
}
