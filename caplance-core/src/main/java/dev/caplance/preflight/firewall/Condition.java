package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpPrefix;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** One thing that a rule requires of a packet. */
@FunctionalInterface
interface Condition {

  /** One that is not understood. */
  Condition UNKNOWN = sample -> Certainty.UNKNOWN;

  /** Ports {@code first} to {@code last}. */
  record Range(int first, int last) {}

  Certainty test(PacketSample sample);

  default Condition negated() {
    return sample -> test(sample).negated();
  }

  /** All of these; one that does not hold decides. */
  static Condition all(List<Condition> conditions) {
    return sample -> {
      Certainty all = Certainty.YES;
      for (Condition condition : conditions) {
        Certainty one = condition.test(sample);
        if (one == Certainty.NO) {
          return Certainty.NO;
        }
        all = one == Certainty.UNKNOWN ? one : all;
      }
      return all;
    };
  }

  /** At least one of these. */
  static Condition any(List<Condition> conditions) {
    return all(conditions.stream().map(Condition::negated).toList()).negated();
  }

  static Condition source(IpPrefix prefix) {
    return sample -> family(prefix, sample) ? contains(prefix, sample.source()) : Certainty.NO;
  }

  static Condition destination(IpPrefix prefix) {
    return sample -> family(prefix, sample) ? contains(prefix, sample.destination()) : Certainty.NO;
  }

  /** An address that is absent or unspecified stands for any address on a network. */
  private static Certainty contains(IpPrefix prefix, Optional<InetAddress> address) {
    Optional<InetAddress> known = address.filter(a -> !a.isAnyLocalAddress());
    if (known.isPresent()) {
      return Certainty.of(prefix.contains(known.get()));
    }
    if (prefix.length() == 0) {
      return Certainty.YES;
    }
    return prefix.address().isLoopbackAddress() ? Certainty.NO : Certainty.UNKNOWN;
  }

  private static boolean family(IpPrefix prefix, PacketSample sample) {
    InetAddress known = sample.source().or(sample::destination).orElseThrow();
    return known.getAddress().length == prefix.address().getAddress().length;
  }

  static Condition protocol(String name) {
    return sample -> Certainty.of(sample.protocol().equals(name));
  }

  static Condition sourcePort(Collection<Range> ranges) {
    return sample -> holds(ranges, sample.sourcePort());
  }

  static Condition destinationPort(Collection<Range> ranges) {
    return sample -> holds(ranges, sample.destinationPort());
  }

  private static Certainty holds(Collection<Range> ranges, OptionalInt port) {
    return port.isEmpty()
        ? Certainty.UNKNOWN
        : Certainty.of(
            ranges.stream()
                .anyMatch(r -> r.first() <= port.getAsInt() && port.getAsInt() <= r.last()));
  }

  /**
   * The interface through which a packet comes in or goes out.
   *
   * @param wildcard the character that ends a name which is only a prefix
   */
  static Condition device(PacketSample.Direction direction, String name, char wildcard) {
    return sample ->
        sample.knows(direction) ? holds(name, wildcard, sample.device()) : Certainty.UNKNOWN;
  }

  private static Certainty holds(String name, char wildcard, Optional<String> device) {
    if (name.equals(String.valueOf(wildcard))) {
      return Certainty.YES;
    }
    int end = name.length() - 1;
    boolean isPrefix = name.charAt(end) == wildcard;
    if (device.isEmpty()) {
      return name.equals("lo") ? Certainty.NO : Certainty.UNKNOWN;
    }
    String actual = device.get();
    return Certainty.of(isPrefix ? actual.startsWith(name.substring(0, end)) : actual.equals(name));
  }

  /** The states of connection tracking, in upper or lower case. */
  static Condition states(Collection<String> states) {
    return sample ->
        Certainty.of(
            states.stream()
                .anyMatch(s -> s.toUpperCase(Locale.ROOT).equals(sample.state().name())));
  }

  /** The type of the destination address, in the words of {@code -m addrtype}. */
  static Condition destinationType(String type) {
    return sample ->
        switch (type) {
          case "LOCAL" ->
              sample.direction() == PacketSample.Direction.INCOMING
                  ? Certainty.YES
                  : Certainty.UNKNOWN;
          case "BROADCAST", "MULTICAST" -> Certainty.NO;
          default -> Certainty.UNKNOWN;
        };
  }
}
