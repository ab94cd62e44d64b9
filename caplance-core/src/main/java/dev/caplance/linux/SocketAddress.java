package dev.caplance.linux;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An address of the kernel, kept as machine words so that {@link BatchSender} can copy it without a
 * loop. Immutable.
 *
 * <pre>
 * struct sockaddr_in  { u16 family; be16 port; be32 addr; u8 zero[8]; }                    16 bytes
 * struct sockaddr_in6 { u16 family; be16 port; be32 flowinfo; u8 addr[16]; u32 scope_id; } 28 bytes
 * struct sockaddr_ll  { u16 family; be16 protocol; s32 ifindex; u16 hatype; u8 pkttype;
 *                       u8 halen; u8 addr[8]; }                                            20 bytes
 * </pre>
 */
public final class SocketAddress {

  /** Room for any of them. */
  static final int MAX_LENGTH = 32;

  private static final int IPV4_LENGTH = 16;
  private static final int IPV6_LENGTH = 28;
  private static final int PACKET_LENGTH = 20;

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
    this.word1 = bytes.getLong(8);
    this.word2 = bytes.getLong(16);
    this.word3 = bytes.getLong(24);
  }

  /** Address and port (0 to 65535; 0 for raw sockets). */
  public static SocketAddress of(InetAddress address, int port) {
    byte[] ip = address.getAddress();
    boolean ipv4 = ip.length == 4;
    int family = ipv4 ? Libc.AF_INET : Libc.AF_INET6;
    ByteBuffer bytes = empty(family);
    bytes.put(2, (byte) (port >>> 8)).put(3, (byte) port);
    bytes.put(ipv4 ? 4 : 8, ip);
    return new SocketAddress(family, ipv4 ? IPV4_LENGTH : IPV6_LENGTH, bytes);
  }

  /** A MAC, six bytes, on the link behind an interface, for frames of an Ethernet protocol. */
  static SocketAddress link(int interfaceIndex, int etherType, byte[] mac) {
    ByteBuffer bytes = empty(Libc.AF_PACKET);
    bytes.put(2, (byte) (etherType >>> 8)).put(3, (byte) etherType);
    bytes.putInt(4, interfaceIndex);
    bytes.put(11, (byte) mac.length);
    bytes.put(12, mac);
    return new SocketAddress(Libc.AF_PACKET, PACKET_LENGTH, bytes);
  }

  /** Whether this is an IPv6 address. */
  public boolean ipv6() {
    return family == Libc.AF_INET6;
  }

  private static ByteBuffer empty(int family) {
    return ByteBuffer.allocate(MAX_LENGTH)
        .order(ByteOrder.nativeOrder())
        .putShort(0, (short) family);
  }

  /** Writes the whole address, {@link #MAX_LENGTH} bytes, to {@code target} in native order. */
  void writeTo(ByteBuffer target, int at) {
    target.putLong(at, word0);
    target.putLong(at + 8, word1);
    if (length > IPV4_LENGTH) {
      target.putLong(at + 16, word2);
      target.putLong(at + 24, word3);
    }
  }

  /**
   * Writes an address without a port, for raw sockets, to {@code target} in native order.
   *
   * @return its length
   */
  static int write(ByteBuffer target, int at, boolean ipv4, long high, long low) {
    if (ipv4) {
      target.putLong(at, Libc.AF_INET | (long) Integer.reverseBytes((int) low) << 32);
      target.putLong(at + 8, 0);
      return IPV4_LENGTH;
    }
    target.putLong(at, Libc.AF_INET6);
    target.putLong(at + 8, Long.reverseBytes(high));
    target.putLong(at + 16, Long.reverseBytes(low));
    target.putLong(at + 24, 0);
    return IPV6_LENGTH;
  }
}
