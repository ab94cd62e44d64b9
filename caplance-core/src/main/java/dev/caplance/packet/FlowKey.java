package dev.caplance.packet;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * The flow of a packet: source, destination, protocol and ports, as the client sends them. {@link
 * #read} fills the fields; one object serves packet after packet. Addresses are two words of their
 * 16-byte form in network order, IPv4 as ::ffff:a.b.c.d.
 *
 * <p>An ICMP error has the key of the flow whose packet it quotes: that packet is an answer from
 * the VIP, so its two ends are exchanged.
 */
public final class FlowKey {

  private final IpHeader quoted = new IpHeader();

  private long sourceHigh;
  private long sourceLow;
  private long destinationHigh;
  private long destinationLow;
  private int sourcePort;
  private int destinationPort;
  private int protocol;
  private int tcpFlags;
  private int sequence;
  private boolean data;
  private boolean error;

  /**
   * The key of a flow that is named by its addresses rather than read from a packet.
   *
   * @param protocol {@link IpProtocol#TCP} or {@link IpProtocol#UDP}
   */
  public static FlowKey of(int protocol, InetSocketAddress source, InetSocketAddress destination) {
    FlowKey flow = new FlowKey();
    flow.sourceHigh = IpAddresses.high(source.getAddress());
    flow.sourceLow = IpAddresses.low(source.getAddress());
    flow.destinationHigh = IpAddresses.high(destination.getAddress());
    flow.destinationLow = IpAddresses.low(destination.getAddress());
    flow.sourcePort = source.getPort();
    flow.destinationPort = destination.getPort();
    flow.protocol = protocol;
    return flow;
  }

  /**
   * Reads the key of a packet.
   *
   * @param header the packet's header, read from {@code b}
   * @return {@link Disposition#FORWARD}, or why the packet has no flow, {@link
   *     Disposition#LEFT_TO_HOST} for an ICMP error about a packet without one; the fields mean
   *     nothing then
   */
  public Disposition read(IpHeader header, ByteBuffer b) {
    if (header.fragment()) {
      return Disposition.FRAGMENT;
    }
    return switch (header.protocol()) {
      case IpProtocol.TCP -> readPorts(header, b, Transport.TCP_MIN_HEADER);
      case IpProtocol.UDP -> readPorts(header, b, Transport.UDP_HEADER);
      case IpProtocol.ICMP, IpProtocol.ICMPV6 -> readError(header, b);
      default -> Disposition.UNKNOWN_PROTOCOL;
    };
  }

  private Disposition readPorts(IpHeader header, ByteBuffer b, int needed) {
    if (header.upperLength() < needed) {
      return Disposition.MALFORMED;
    }
    sourceHigh = header.sourceHigh();
    sourceLow = header.sourceLow();
    destinationHigh = header.destinationHigh();
    destinationLow = header.destinationLow();
    sourcePort = Transport.sourcePort(b, header.upperOffset());
    destinationPort = Transport.destinationPort(b, header.upperOffset());
    protocol = header.protocol();
    if (protocol == IpProtocol.TCP) {
      readTcp(header, b);
    } else {
      tcpFlags = 0;
    }
    error = false;
    return Disposition.FORWARD;
  }

  private void readTcp(IpHeader header, ByteBuffer b) {
    int at = header.upperOffset();
    tcpFlags = Transport.tcpFlags(b, at);
    sequence = b.getInt(at + Transport.SEQUENCE);
    data = header.upperLength() > Transport.tcpHeaderLength(b, at);
  }

  private Disposition readError(IpHeader header, ByteBuffer b) {
    if (header.upperLength() < Icmp.HEADER) {
      return Disposition.MALFORMED;
    }
    if (!Icmp.isError(header, b)) {
      return Disposition.UNKNOWN_PROTOCOL;
    }
    Disposition disposition =
        quoted.readQuoted(
            b, header.upperOffset() + Icmp.HEADER, header.upperLength() - Icmp.HEADER);
    boolean hasPorts =
        disposition == Disposition.FORWARD
            && !quoted.fragment()
            && (quoted.protocol() == IpProtocol.TCP || quoted.protocol() == IpProtocol.UDP)
            && quoted.upperLength() >= Transport.PORTS;
    if (!hasPorts) {
      return Disposition.LEFT_TO_HOST;
    }
    readQuotedPorts(b);
    return Disposition.FORWARD;
  }

  private void readQuotedPorts(ByteBuffer b) {
    sourceHigh = quoted.destinationHigh();
    sourceLow = quoted.destinationLow();
    destinationHigh = quoted.sourceHigh();
    destinationLow = quoted.sourceLow();
    sourcePort = Transport.destinationPort(b, quoted.upperOffset());
    destinationPort = Transport.sourcePort(b, quoted.upperOffset());
    protocol = quoted.protocol();
    tcpFlags = 0;
    error = true;
  }

  public long sourceHigh() {
    return sourceHigh;
  }

  public long sourceLow() {
    return sourceLow;
  }

  public long destinationHigh() {
    return destinationHigh;
  }

  public long destinationLow() {
    return destinationLow;
  }

  /** 0 to 65535. */
  public int sourcePort() {
    return sourcePort;
  }

  /** 0 to 65535. */
  public int destinationPort() {
    return destinationPort;
  }

  /** {@link IpProtocol#TCP} or {@link IpProtocol#UDP}. */
  public int protocol() {
    return protocol;
  }

  /** Whether the packet is an ICMP error about this flow, and not a packet of it. */
  public boolean isError() {
    return error;
  }

  /** Whether the packet asks for a new connection: SYN without ACK. */
  public boolean isSyn() {
    return (tcpFlags & (Transport.SYN | Transport.ACK)) == Transport.SYN;
  }

  /** Whether the packet belongs to a TCP connection that exists already: anything but a SYN. */
  public boolean isWithinConnection() {
    return protocol == IpProtocol.TCP && !isSyn();
  }

  /** Whether the packet seems to end its connection, or one direction of it: FIN or RST. */
  public boolean isClosing() {
    return (tcpFlags & (Transport.FIN | Transport.RST)) != 0;
  }

  /** Whether the packet seems to end its connection at once: RST. */
  public boolean isReset() {
    return (tcpFlags & Transport.RST) != 0;
  }

  /** The sequence number of a TCP segment; means nothing for other packets. */
  public int sequence() {
    return sequence;
  }

  /** Whether a TCP segment has a payload; means nothing for other packets. */
  public boolean carriesData() {
    return data;
  }
}
