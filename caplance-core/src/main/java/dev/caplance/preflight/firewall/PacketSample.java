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
 * @param device where it comes in or goes out; absent: some interface other than {@code lo}
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

  /** Which hooks of netfilter a packet passes. */
  public enum Direction {
    /** Prerouting, input. */
    INCOMING,
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
    return new PacketSample(
        Direction.OUTGOING,
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

  boolean meets(String hook) {
    return switch (hook) {
      case "prerouting", "input" -> direction == Direction.INCOMING;
      case "output", "postrouting" -> direction == Direction.OUTGOING;
      default -> false;
    };
  }
}
