package dev.caplance.linux;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The address of this machine that datagrams leave from, as the control message that tells the
 * kernel ({@code IP_PKTINFO} of ip(7), {@code IPV6_PKTINFO} of ipv6(7)). While no interface has the
 * address, the kernel refuses to send ({@link Errno#EINVAL}). Kept in machine words like {@link
 * SocketAddress}. Immutable.
 *
 * <pre>
 *  0 struct cmsghdr     { size_t len; int level; int type; }
 * 16 struct in_pktinfo  { int ifindex; struct in_addr spec_dst; struct in_addr addr; }      28 bytes
 * 16 struct in6_pktinfo { struct in6_addr addr; int ifindex; }                              36 bytes
 * </pre>
 */
public final class SourceAddress {

  /** Room for either. */
  static final int MAX_LENGTH = 40;

  private static final int LEVEL = 8;
  private static final int TYPE = 12;
  private static final int DATA = 16;
  private static final int IPV4_SOURCE = DATA + 4;
  private static final int IPV4_LENGTH = 28;
  private static final int IPV6_LENGTH = 36;

  private static final int WORD1 = 8;
  private static final int WORD2 = 16;
  private static final int WORD3 = 24;
  private static final int WORD4 = 32;

  /** Bytes with padding, a multiple of eight. */
  final int length;

  private final long word0;
  private final long word1;
  private final long word2;
  private final long word3;
  private final long word4;

  private SourceAddress(int length, ByteBuffer bytes) {
    this.length = length;
    this.word0 = bytes.getLong(0);
    this.word1 = bytes.getLong(WORD1);
    this.word2 = bytes.getLong(WORD2);
    this.word3 = bytes.getLong(WORD3);
    this.word4 = bytes.getLong(WORD4);
  }

  /** The control message for an address. The kernel chooses the interface by its routes. */
  public static SourceAddress of(InetAddress address) {
    byte[] ip = address.getAddress();
    boolean ipv4 = ip.length == 4;
    ByteBuffer bytes = ByteBuffer.allocate(MAX_LENGTH).order(ByteOrder.nativeOrder());
    bytes.putLong(0, ipv4 ? IPV4_LENGTH : IPV6_LENGTH);
    bytes.putInt(LEVEL, ipv4 ? Libc.IPPROTO_IP : Libc.IPPROTO_IPV6);
    bytes.putInt(TYPE, ipv4 ? Libc.IP_PKTINFO : Libc.IPV6_PKTINFO);
    bytes.put(ipv4 ? IPV4_SOURCE : DATA, ip);
    return new SourceAddress(ipv4 ? WORD4 : MAX_LENGTH, bytes);
  }

  /** Writes the control message, {@link #length} bytes, to {@code target} in native order. */
  void writeTo(ByteBuffer target, int at) {
    target.putLong(at, word0);
    target.putLong(at + WORD1, word1);
    target.putLong(at + WORD2, word2);
    target.putLong(at + WORD3, word3);
    if (length > WORD4) {
      target.putLong(at + WORD4, word4);
    }
  }
}
