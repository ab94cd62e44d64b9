package dev.caplance.backend.dataplane;

import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/** Where encapsulated packets arrive: the data address and the data port. Immutable. */
final class DataPort {

  private static final int UDP_HEADER = 8;
  private static final int UDP_DESTINATION = 2;

  private final SocketAddress address;
  private final long high;
  private final long low;
  private final int port;

  DataPort(InetAddress address, int port) {
    this.address = SocketAddress.of(address, port);
    this.high = IpAddresses.high(address);
    this.low = IpAddresses.low(address);
    this.port = port;
  }

  SocketAddress address() {
    return address;
  }

  /**
   * Whether an unwrapped packet is a path probe for this port, from the load balancer that sent it.
   * Nothing else that is unwrapped may come here: it could be a packet that is wrapped again.
   *
   * @param header of the packet
   * @param bytes that hold it
   * @param senderHigh and {@code senderLow}: halves of the 16-byte form of the address that the
   *     encapsulated packet came from
   */
  boolean takes(IpHeader header, ByteBuffer bytes, long senderHigh, long senderLow) {
    int udp = header.upperOffset();
    int payload = header.upperLength() - UDP_HEADER;
    return header.destinationLow() == low
        && header.destinationHigh() == high
        && header.sourceLow() == senderLow
        && header.sourceHigh() == senderHigh
        && header.protocol() == IpProtocol.UDP
        && !header.fragment()
        && payload > 0
        && Short.toUnsignedInt(bytes.getShort(udp + UDP_DESTINATION)) == port
        && PathProbeReplies.isProbe(bytes, udp + UDP_HEADER, payload);
  }
}
