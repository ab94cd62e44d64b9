package dev.caplance.linux;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An address as the kernel takes it, kept in machine words so that {@link SendBatch} can copy it
 * without a loop. Immutable.
 *
 * <pre>
 * struct sockaddr_in  { u16 family; be16 port; be32 addr; u8 zero[8]; }                    16 bytes
 * struct sockaddr_in6 { u16 family; be16 port; be32 flowinfo; u8 addr[16]; u32 scope_id; } 28 bytes
 * struct sockaddr_ll  { u16 family; be16 protocol; s32 ifindex; u16 hatype; u8 pkttype;
 *                       u8 halen; u8 addr[8]; }                                            20 bytes
 * struct sockaddr_nl  { u16 family; u16 pad; u32 pid; u32 groups; }                        12 bytes
 * </pre>
 */
public final class SocketAddress {

  /** Room for any of them. */
  static final int MAX_LENGTH = 32;

  /** Where the port stands, and {@code sockaddr_ll}'s protocol, in network order. */
  static final int PORT = 2;

  /** Where the address of {@code sockaddr_in} stands. */
  static final int IPV4_ADDRESS = 4;

  /** Where the address of {@code sockaddr_in6} stands. */
  static final int IPV6_ADDRESS = 8;

  private static final int FAMILY = 0;
  private static final int LINK_INTERFACE = 4;
  private static final int LINK_MAC_LENGTH = 11;
  private static final int LINK_MAC = 12;

  private static final int WORD1 = 8;
  private static final int WORD2 = 16;
  private static final int WORD3 = 24;

  private static final int IPV4_LENGTH = 16;
  private static final int IPV6_LENGTH = 28;
  private static final int PACKET_LENGTH = 20;
  private static final int NETLINK_LENGTH = 12;

  final int family;
  final int length;
  final long word0;
  final long word1;
  final long word2;
  final long word3;

  private SocketAddress(int family, int length, ByteBuffer bytes) {
    this.family = family;
    this.length = length;
    this.word0 = bytes.getLong(0);
    this.word1 = bytes.getLong(WORD1);
    this.word2 = bytes.getLong(WORD2);
    this.word3 = bytes.getLong(WORD3);
  }

  /** Address and port (0 to 65535; 0 for raw sockets). */
  public static SocketAddress of(InetAddress address, int port) {
    byte[] ip = address.getAddress();
    boolean ipv4 = ip.length == 4;
    int family = ipv4 ? Libc.AF_INET : Libc.AF_INET6;
    ByteBuffer bytes = empty(family);
    putPort(bytes, port);
    bytes.put(ipv4 ? IPV4_ADDRESS : IPV6_ADDRESS, ip);
    return new SocketAddress(family, ipv4 ? IPV4_LENGTH : IPV6_LENGTH, bytes);
  }

  /** A MAC, six bytes, on the link of an interface, for frames of an Ethernet protocol. */
  static SocketAddress link(int interfaceIndex, int etherType, byte[] mac) {
    ByteBuffer bytes = empty(Libc.AF_PACKET);
    putPort(bytes, etherType);
    bytes.putInt(LINK_INTERFACE, interfaceIndex);
    bytes.put(LINK_MAC_LENGTH, (byte) mac.length);
    bytes.put(LINK_MAC, mac);
    return new SocketAddress(Libc.AF_PACKET, PACKET_LENGTH, bytes);
  }

  /** The identity of a netlink(7) socket that the kernel chooses. */
  static SocketAddress netlink() {
    return new SocketAddress(Libc.AF_NETLINK, NETLINK_LENGTH, empty(Libc.AF_NETLINK));
  }

  /** Whether this is an IPv6 address. */
  public boolean ipv6() {
    return family == Libc.AF_INET6;
  }

  private static ByteBuffer empty(int family) {
    return ByteBuffer.allocate(MAX_LENGTH)
        .order(ByteOrder.nativeOrder())
        .putShort(FAMILY, (short) family);
  }

  private static void putPort(ByteBuffer bytes, int port) {
    bytes.put(PORT, (byte) (port >>> 8)).put(PORT + 1, (byte) port);
  }

  /** Writes the address, {@link #length} bytes and padding, to {@code target} in native order. */
  void writeTo(ByteBuffer target, int at) {
    target.putLong(at, word0);
    target.putLong(at + WORD1, word1);
    if (length > IPV4_LENGTH) {
      target.putLong(at + WORD2, word2);
      target.putLong(at + WORD3, word3);
    }
  }

  /**
   * Writes an address without a port, for raw sockets, to {@code target} in native order: words
   * that hold the family and, behind it, an address in network order.
   *
   * @return its length
   */
  static int write(ByteBuffer target, int at, boolean ipv4, long high, long low) {
    if (ipv4) {
      target.putLong(at, Libc.AF_INET);
      target.putInt(at + IPV4_ADDRESS, Integer.reverseBytes((int) low));
      target.putLong(at + WORD1, 0);
      return IPV4_LENGTH;
    }
    target.putLong(at, Libc.AF_INET6);
    target.putLong(at + IPV6_ADDRESS, Long.reverseBytes(high));
    target.putLong(at + IPV6_ADDRESS + Long.BYTES, Long.reverseBytes(low));
    target.putLong(at + WORD3, 0);
    return IPV6_LENGTH;
  }
}
