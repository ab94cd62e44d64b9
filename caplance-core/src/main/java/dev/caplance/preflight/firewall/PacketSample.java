package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An imagined packet, to find out what a firewall would do to it. What is absent is unknown or may
 * be anything.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param source absent: some client. At least one of the two addresses is present
 * @param device where it comes in, or goes out if it is outgoing; absent: some interface other than
 *     {@code lo}
 */
public record PacketSample(
    Direction direction,
    String protocol,
    Optional<InetAddress> source,
    Optional<InetAddress> destination,
    OptionalInt sourcePort,
    OptionalInt destinationPort,
    Optional<String> device,
    State state) {

  /** {@code NF_IP_PRI_RAW}. */
  private static final int RAW_PRIORITY = -300;

  /** Which hooks of netfilter a packet passes. */
  public enum Direction {
    /** Prerouting, input. */
    INCOMING,
    /** Only what comes before the table {@code raw}, where the load balancer takes packets. */
    ARRIVING,
    /** Forward: to another machine or container. */
    FORWARDED,
    /** Output, postrouting. */
    OUTGOING
  }

  /** The packet's state in connection tracking. */
  public enum State {
    NEW,
    ESTABLISHED,
    INVALID
  }

  /** A new packet to an address of this machine. */
  public static PacketSample to(InetAddress destination, String protocol, Direction direction) {
    return new PacketSample(
        direction,
        protocol,
        Optional.empty(),
        Optional.of(destination),
        OptionalInt.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        State.NEW);
  }

  /** A reply that leaves this machine. */
  public static PacketSample replyFrom(InetAddress source, String protocol) {
    return reply(Direction.OUTGOING, source, protocol);
  }

  /** A reply of another machine that this one forwards. */
  public static PacketSample forwardedFrom(InetAddress source, String protocol) {
    return reply(Direction.FORWARDED, source, protocol);
  }

  private static PacketSample reply(Direction direction, InetAddress source, String protocol) {
    return new PacketSample(
        direction,
        protocol,
        Optional.of(source),
        Optional.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        State.ESTABLISHED);
  }

  /** The same packet from this address. */
  public PacketSample from(InetAddress from) {
    return new PacketSample(
        direction,
        protocol,
        Optional.of(from),
        destination,
        sourcePort,
        destinationPort,
        device,
        state);
  }

  /** The same packet to this port. */
  public PacketSample port(int port) {
    return new PacketSample(
        direction, protocol, source, destination, sourcePort, OptionalInt.of(port), device, state);
  }

  /** The same packet from this port. */
  public PacketSample fromPort(int port) {
    return new PacketSample(
        direction,
        protocol,
        source,
        destination,
        OptionalInt.of(port),
        destinationPort,
        device,
        state);
  }

  /** The same packet through this interface. */
  public PacketSample through(String name) {
    return new PacketSample(
        direction,
        protocol,
        source,
        destination,
        sourcePort,
        destinationPort,
        Optional.of(name),
        state);
  }

  /** The same packet in another state. */
  public PacketSample in(State other) {
    return new PacketSample(
        direction, protocol, source, destination, sourcePort, destinationPort, device, other);
  }

  boolean ipv4() {
    return IpAddresses.isIpv4(source.or(() -> destination).orElseThrow());
  }

  boolean meets(String hook, int priority) {
    return switch (hook) {
      case "ingress" -> direction == Direction.INCOMING || direction == Direction.ARRIVING;
      case "prerouting" ->
          direction == Direction.INCOMING
              || (direction == Direction.ARRIVING && priority < RAW_PRIORITY);
      case "input" -> direction == Direction.INCOMING;
      case "forward" -> direction == Direction.FORWARDED;
      case "output", "postrouting", "egress" -> direction == Direction.OUTGOING;
      default -> false;
    };
  }

  /** Whether this is the interface where it comes in, or where it goes out, that is known. */
  boolean knows(Direction side) {
    return (side == Direction.OUTGOING) == (direction == Direction.OUTGOING);
  }
}
