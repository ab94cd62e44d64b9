package dev.caplance.linux;

import java.util.Optional;

/**
 * Receives what neighbours on the link of one interface say about their addresses. Needs
 * CAP_NET_RAW. Used by one thread at a time.
 */
public final class NeighbourSocket implements AutoCloseable {

  private static final int ADVERTISEMENT = 136;
  private static final int BUFFER = 512;
  private static final int ICMPV6_TYPES = 256;

  private final LinuxSocket socket;
  private final NativeMemory buffer = NativeMemory.allocate(BUFFER);

  private NeighbourSocket(LinuxSocket socket) {
    this.socket = socket;
  }

  /** Receives ARP packets, without an Ethernet header. */
  public static NeighbourSocket arp(int interfaceIndex, int etherType) throws LinuxException {
    return new NeighbourSocket(link(interfaceIndex, etherType));
  }

  /** Receives neighbour advertisements, from the ICMPv6 header on. */
  public static NeighbourSocket advertisements(String device) throws LinuxException {
    return new NeighbourSocket(icmpv6(device, ADVERTISEMENT));
  }

  /**
   * Sends one frame on the link of an interface (packet(7)). Needs CAP_NET_RAW.
   *
   * @param destination MAC, six bytes
   * @param payload the frame without its Ethernet header
   */
  public static void sendFrame(
      int interfaceIndex, int etherType, byte[] destination, byte[] payload) throws LinuxException {
    try (LinuxSocket socket =
        LinuxSocket.open(Libc.AF_PACKET, Libc.SOCK_DGRAM, 0, "socket(packet)")) {
      socket.sendOne(payload, SocketAddress.link(interfaceIndex, etherType, destination));
    }
  }

  private static LinuxSocket link(int interfaceIndex, int etherType) throws LinuxException {
    LinuxSocket socket = LinuxSocket.open(Libc.AF_PACKET, Libc.SOCK_DGRAM, 0, "socket(packet)");
    try {
      socket.bind(SocketAddress.link(interfaceIndex, etherType, new byte[0]), "bind(packet)");
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  private static LinuxSocket icmpv6(String device, int type) throws LinuxException {
    LinuxSocket socket =
        LinuxSocket.open(Libc.AF_INET6, Libc.SOCK_RAW, Libc.IPPROTO_ICMPV6, "socket(raw ICMPv6)");
    try (NativeMemory filter = NativeMemory.allocate(ICMPV6_TYPES / Byte.SIZE)) {
      for (int i = 0; i < ICMPV6_TYPES / Integer.SIZE; i++) {
        int bits = i == type / Integer.SIZE ? ~(1 << type % Integer.SIZE) : ~0;
        filter.nativeBytes().putInt(i * Integer.BYTES, bits);
      }
      socket.set(Libc.IPPROTO_ICMPV6, Libc.ICMPV6_FILTER, filter, ICMPV6_TYPES / Byte.SIZE);
      socket.bindToDevice(device);
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  /**
   * The next message.
   *
   * @param millis to wait for it, at least 1
   * @return empty when none came in time, or the interface is down
   */
  public Optional<byte[]> receive(int millis) throws LinuxException {
    socket.setReceiveTimeout(millis);
    int length = socket.read(buffer.address(), BUFFER);
    if (length < 0) {
      return Optional.empty();
    }
    byte[] message = new byte[length];
    buffer.nativeBytes().get(message);
    return Optional.of(message);
  }

  @Override
  public void close() {
    socket.close();
    buffer.close();
  }
}
