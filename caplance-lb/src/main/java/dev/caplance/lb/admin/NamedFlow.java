package dev.caplance.lb.admin;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import java.net.InetSocketAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A flow as operators write it: {@code tcp 198.51.100.7:40000 -> 10.0.0.50:80}, or {@code udp
 * [2001:db8::7]:40000 -> [2001:db8::50]:53}.
 *
 * @param protocol {@link IpProtocol#TCP} or {@link IpProtocol#UDP}
 */
record NamedFlow(int protocol, InetSocketAddress source, InetSocketAddress destination) {

  /**
   * A sequence of non-ASCII characters stands for an arrow, which a JVM garbles if the locale is C.
   */
  private static final Pattern FLOW =
      Pattern.compile(
          "\\s*(tcp|udp)\\s+(\\p{Graph}+?)\\s*(?:->|[^\\p{ASCII}]+)\\s*(\\p{Graph}+)\\s*");

  private static final Pattern END = Pattern.compile("(?:([0-9.]+)|\\[([^\\[\\]]+)]):(\\d{1,5})");

  /**
   * Parses a flow.
   *
   * @throws IllegalArgumentException if the text is not a flow, with a message that says what to
   *     write
   */
  static NamedFlow parse(String text) {
    Matcher flow = FLOW.matcher(text);
    if (!flow.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a flow; write it like tcp 198.51.100.7:40000 -> 10.0.0.50:80");
    }
    int protocol = flow.group(1).equals("tcp") ? IpProtocol.TCP : IpProtocol.UDP;
    InetSocketAddress source = end(flow.group(2));
    InetSocketAddress destination = end(flow.group(3));
    if (IpAddresses.isIpv4(source.getAddress()) != IpAddresses.isIpv4(destination.getAddress())) {
      throw new IllegalArgumentException(
          "one address is IPv4 and the other IPv6; write two addresses of the same version");
    }
    return new NamedFlow(protocol, source, destination);
  }

  private static InetSocketAddress end(String text) {
    Matcher end = END.matcher(text);
    if (!end.matches() || Integer.parseInt(end.group(3)) > 65535) {
      throw new IllegalArgumentException(
          "'"
              + text
              + "' is not an address with a port; write it like 10.0.0.50:80 or"
              + " [2001:db8::50]:80");
    }
    String address = end.group(1) == null ? end.group(2) : end.group(1);
    return new InetSocketAddress(IpAddresses.parse(address), Integer.parseInt(end.group(3)));
  }

  FlowKey key() {
    return FlowKey.of(protocol, source, destination);
  }

  String protocolName() {
    return protocol == IpProtocol.TCP ? "tcp" : "udp";
  }

  @Override
  public String toString() {
    return protocolName()
        + " "
        + IpAddresses.format(source)
        + " -> "
        + IpAddresses.format(destination);
  }
}
