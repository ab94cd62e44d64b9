package dev.caplance.preflight.firewall;

import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** One thing that a rule asks of a packet. */
@FunctionalInterface
interface Condition {

  /** One that is not understood. */
  Condition UNKNOWN = probe -> Answer.UNKNOWN;

  /** Ports {@code first} to {@code last}. */
  record Range(int first, int last) {}

  Answer test(PacketSample probe);

  default Condition negated() {
    return probe -> test(probe).negated();
  }

  /** All of them: it is enough that one does not hold. */
  static Condition all(List<Condition> conditions) {
    return probe -> {
      Answer answer = Answer.YES;
      for (Condition condition : conditions) {
        Answer one = condition.test(probe);
        if (one == Answer.NO) {
          return Answer.NO;
        }
        answer = one == Answer.UNKNOWN ? one : answer;
      }
      return answer;
    };
  }

  /** At least one of them. */
  static Condition any(List<Condition> conditions) {
    return all(conditions.stream().map(Condition::negated).toList()).negated();
  }

  static Condition source(Prefix prefix) {
    return probe -> family(prefix, probe) ? prefix.holds(probe.source()) : Answer.NO;
  }

  static Condition destination(Prefix prefix) {
    return probe -> family(prefix, probe) ? prefix.holds(probe.destination()) : Answer.NO;
  }

  private static boolean family(Prefix prefix, PacketSample probe) {
    InetAddress known = probe.source().or(probe::destination).orElseThrow();
    return known.getAddress().length == prefix.address().getAddress().length;
  }

  static Condition protocol(String name) {
    return probe -> Answer.of(probe.protocol().equals(name));
  }

  static Condition sourcePort(Collection<Range> ranges) {
    return probe -> holds(ranges, probe.sourcePort());
  }

  static Condition destinationPort(Collection<Range> ranges) {
    return probe -> holds(ranges, probe.destinationPort());
  }

  private static Answer holds(Collection<Range> ranges, OptionalInt port) {
    return port.isEmpty()
        ? Answer.UNKNOWN
        : Answer.of(
            ranges.stream()
                .anyMatch(r -> r.first() <= port.getAsInt() && port.getAsInt() <= r.last()));
  }

  /**
   * An interface that a packet came in by, or is to go out by.
   *
   * @param wildcard with which a name may end that is only a beginning
   */
  static Condition device(PacketSample.Way way, String name, char wildcard) {
    return probe -> probe.way() == way ? holds(name, wildcard, probe.device()) : Answer.UNKNOWN;
  }

  private static Answer holds(String name, char wildcard, Optional<String> device) {
    if (name.equals(String.valueOf(wildcard))) {
      return Answer.YES;
    }
    int end = name.length() - 1;
    boolean beginning = name.charAt(end) == wildcard;
    if (device.isEmpty()) {
      return name.equals("lo") ? Answer.NO : Answer.UNKNOWN;
    }
    String actual = device.get();
    return Answer.of(beginning ? actual.startsWith(name.substring(0, end)) : actual.equals(name));
  }

  /** The states of connection tracking, in whatever case. */
  static Condition states(Collection<String> states) {
    return probe ->
        Answer.of(
            states.stream().anyMatch(s -> s.toUpperCase(Locale.ROOT).equals(probe.state().name())));
  }

  /** Where a destination is, as {@code -m addrtype} says it. */
  static Condition destinationType(String type) {
    return probe ->
        switch (type) {
          case "LOCAL" -> probe.way() == PacketSample.Way.ARRIVES ? Answer.YES : Answer.UNKNOWN;
          case "BROADCAST", "MULTICAST" -> Answer.NO;
          default -> Answer.UNKNOWN;
        };
  }
}
