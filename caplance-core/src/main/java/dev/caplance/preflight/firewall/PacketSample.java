package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A packet that is thought of, to see what a firewall would do to it. What is absent is not known,
 * or may be anything.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param source absent: some client on a network. One of both addresses is there
 * @param device where it comes in or goes out; absent: some interface on a network, not {@code lo}
 */
public record PacketSample(
    Way way,
    String protocol,
    Optional<InetAddress> source,
    Optional<InetAddress> destination,
    OptionalInt sourcePort,
    OptionalInt destinationPort,
    Optional<String> device,
    State state) {

  /** Through which hooks of netfilter a packet goes. */
  public enum Way {
    /** Prerouting, input. */
    ARRIVES,
    /** Output, postrouting. */
    LEAVES
  }

  /** What connection tracking says of a packet. */
  public enum State {
    NEW,
    ESTABLISHED,
    INVALID
  }

  /** A new packet to an address of this machine. */
  public static PacketSample to(InetAddress destination, String protocol, Way way) {
    return new PacketSample(
        way,
        protocol,
        Optional.empty(),
        Optional.of(destination),
        OptionalInt.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        State.NEW);
  }

  /** An answer that leaves this machine. */
  public static PacketSample answerFrom(InetAddress source, String protocol) {
    return new PacketSample(
        Way.LEAVES,
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
        way, protocol, Optional.of(from), destination, sourcePort, destinationPort, device, state);
  }

  /** The same packet to this port. */
  public PacketSample port(int port) {
    return new PacketSample(
        way, protocol, source, destination, sourcePort, OptionalInt.of(port), device, state);
  }

  /** The same packet through this interface. */
  public PacketSample through(String name) {
    return new PacketSample(
        way, protocol, source, destination, sourcePort, destinationPort, Optional.of(name), state);
  }

  /** The same packet in another state. */
  public PacketSample in(State other) {
    return new PacketSample(
        way, protocol, source, destination, sourcePort, destinationPort, device, other);
  }

  boolean ipv4() {
    return IpAddresses.isIpv4(source.or(() -> destination).orElseThrow());
  }

  boolean meets(String hook) {
    return switch (hook) {
      case "prerouting", "input" -> way == Way.ARRIVES;
      case "output", "postrouting" -> way == Way.LEAVES;
      default -> false;
    };
  }
}
