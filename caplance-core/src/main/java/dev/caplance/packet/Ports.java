package dev.caplance.packet;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A set of TCP and UDP ports. Immutable; any thread may call. */
public final class Ports {

  private static final int COUNT = 65_536;
  private static final Pattern TEXT =
      Pattern.compile("(tcp|udp)(?:/([1-9]\\d{0,4})(?:-([1-9]\\d{0,4}))?)?");

  public static final Ports NONE = new Ports(new BitSet(), new BitSet());

  /** Every port of both protocols. */
  public static final Ports ALL = parse("tcp").union(parse("udp"));

  private final BitSet tcp;
  private final BitSet udp;

  /** The sets become this object's own. */
  private Ports(BitSet tcp, BitSet udp) {
    this.tcp = tcp;
    this.udp = udp;
  }

  /** Ports {@code first} to {@code last}, both included, 0 to 65535. */
  public record Range(int first, int last) {

    @Override
    public String toString() {
      return first == last ? Integer.toString(first) : first + "-" + last;
    }
  }

  /**
   * Reads {@code tcp/80}, {@code udp/8000-8999}, or {@code tcp} for all of its ports.
   *
   * @throws IllegalArgumentException when the text is anything else; says what would be right
   */
  public static Ports parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a port; write it like tcp/80, udp/443 or tcp/8000-8999");
    }
    BitSet ports = new BitSet();
    if (parts.group(2) == null) {
      ports.set(0, COUNT);
    } else {
      int first = port(parts.group(2), text);
      int last = parts.group(3) == null ? first : port(parts.group(3), text);
      if (last < first) {
        throw new IllegalArgumentException(
            "'"
                + text
                + "' ends before it begins; write "
                + parts.group(1)
                + "/"
                + last
                + "-"
                + first);
      }
      ports.set(first, last + 1);
    }
    return parts.group(1).equals("tcp")
        ? new Ports(ports, new BitSet())
        : new Ports(new BitSet(), ports);
  }

  private static int port(String digits, String text) {
    int port = Integer.parseInt(digits);
    if (port >= COUNT) {
      throw new IllegalArgumentException(
          "'" + text + "' names port " + port + "; the last is 65535");
    }
    return port;
  }

  /**
   * Whether the port is in the set; false for protocols that have none. Allocates nothing.
   *
   * @param protocol a number of {@link IpProtocol}
   * @param port 0 to 65535
   */
  public boolean contains(int protocol, int port) {
    return switch (protocol) {
      case IpProtocol.TCP -> tcp.get(port);
      case IpProtocol.UDP -> udp.get(port);
      default -> false;
    };
  }

  /** The ports of either. */
  public Ports union(Ports other) {
    Ports union = copy();
    union.tcp.or(other.tcp);
    union.udp.or(other.udp);
    return union;
  }

  /** The ports that are in both. */
  public Ports intersection(Ports other) {
    Ports intersection = copy();
    intersection.tcp.and(other.tcp);
    intersection.udp.and(other.udp);
    return intersection;
  }

  private Ports copy() {
    return new Ports((BitSet) tcp.clone(), (BitSet) udp.clone());
  }

  public boolean isEmpty() {
    return tcp.isEmpty() && udp.isEmpty();
  }

  /** Whether all ports of the protocol are in the set. */
  public boolean hasAll(int protocol) {
    return of(protocol).cardinality() == COUNT;
  }

  /**
   * The ports of one protocol in ascending order, neighbours joined.
   *
   * @param protocol {@link IpProtocol#TCP} or {@link IpProtocol#UDP}
   */
  public List<Range> ranges(int protocol) {
    BitSet ports = of(protocol);
    List<Range> ranges = new ArrayList<>();
    for (int first = ports.nextSetBit(0); first >= 0; ) {
      int end = ports.nextClearBit(first);
      ranges.add(new Range(first, end - 1));
      first = ports.nextSetBit(end);
    }
    return ranges;
  }

  /** The first port of a protocol, or −1 if there is none. */
  public int first(int protocol) {
    return of(protocol).nextSetBit(0);
  }

  private BitSet of(int protocol) {
    return switch (protocol) {
      case IpProtocol.TCP -> tcp;
      case IpProtocol.UDP -> udp;
      default -> throw new IllegalArgumentException("protocol " + protocol + " has no ports");
    };
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ports ports && tcp.equals(ports.tcp) && udp.equals(ports.udp);
  }

  @Override
  public int hashCode() {
    return 31 * tcp.hashCode() + udp.hashCode();
  }

  /** Like {@code tcp/80, tcp/8000-8999, udp}: what {@link #parse} reads, joined with commas. */
  @Override
  public String toString() {
    List<String> texts = new ArrayList<>();
    texts.addAll(texts("tcp", IpProtocol.TCP));
    texts.addAll(texts("udp", IpProtocol.UDP));
    return String.join(", ", texts);
  }

  private List<String> texts(String name, int protocol) {
    return hasAll(protocol)
        ? List.of(name)
        : ranges(protocol).stream().map(range -> name + "/" + range).toList();
  }
}
