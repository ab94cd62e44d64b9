package dev.caplance.linux;

import java.nio.ByteOrder;

/**
 * A way into this machine for whole IP packets to its own addresses; they arrive on {@code lo}. One
 * IP version, batches as {@link BatchSender} has them. Belongs to one thread.
 */
public final class LocalEntrance implements AutoCloseable {

  /** The most bytes of a packet; the Internet Protocol has no longer ones. */
  private static final int LARGEST_PACKET = 65_535;

  /** What a raw socket's packet may have to fit one block of 32 KiB: it lies in one piece. */
  private static final int LARGEST_IN_ONE_PIECE = 32_000;

  /**
   * Each frame begins with {@code struct virtio_net_hdr { u8 flags; u8 gso_type; u16 hdr_len; u16
   * gso_size; u16 csum_start; u16 csum_offset; }} ({@code linux/virtio_net.h}) and the addresses
   * and protocol of Ethernet. {@code hdr_len} bytes of the frame lie in one piece, the kernel
   * spreads the rest over pages.
   */
  private static final int VNET_HEADER = 10;

  private static final int HEADER_LENGTH = 2;
  private static final int ETHERNET_HEADER = 14;
  private static final int ETHERTYPE = VNET_HEADER + 12;
  private static final int FRAME_HEADER = VNET_HEADER + ETHERNET_HEADER;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86dd;
  private static final int SMALLEST_IPV4 = 20;
  private static final int SMALLEST_IPV6 = 40;

  /** {@code lo} is the first interface of each network namespace. */
  private static final int LO = 1;

  private final BatchSender sender;
  private final int mostBytes;
  private final NativeMemory frameHeader;
  private final SocketAddress lo;

  private LocalEntrance(
      LinuxSocket socket, int capacity, int mostBytes, NativeMemory frameHeader, SocketAddress lo) {
    this.sender = new BatchSender(socket, capacity, true);
    this.mostBytes = mostBytes;
    this.frameHeader = frameHeader;
    this.lo = lo;
  }

  /**
   * The link behind {@code lo}: the shorter way. IPv4 packets are looked at by {@code rp_filter},
   * which refuses them all when it is 1 for {@code lo} or for all interfaces.
   *
   * @param capacity packets of a batch, 1 to 1024
   */
  public static LocalEntrance link(boolean ipv4, int capacity) throws LinuxException {
    LinuxSocket socket = LinuxSocket.frames();
    int etherType = ipv4 ? IPV4 : IPV6;
    NativeMemory header = NativeMemory.allocate(FRAME_HEADER);
    header
        .networkBytes()
        .order(ByteOrder.nativeOrder())
        .putShort(
            HEADER_LENGTH, (short) (ETHERNET_HEADER + (ipv4 ? SMALLEST_IPV4 : SMALLEST_IPV6)));
    header.networkBytes().putShort(ETHERTYPE, (short) etherType);
    SocketAddress lo = SocketAddress.link(LO, etherType, new byte[6]);
    return new LocalEntrance(socket, capacity, LARGEST_PACKET, header, lo);
  }

  /**
   * A raw socket, whose packets are routed as if this machine had made them: it works under every
   * {@code rp_filter}.
   *
   * @param capacity packets of a batch, 1 to 1024
   */
  public static LocalEntrance raw(boolean ipv4, int capacity) throws LinuxException {
    LinuxSocket socket = ipv4 ? LinuxSocket.rawIpv4() : LinuxSocket.rawIpv6();
    return new LocalEntrance(socket, capacity, LARGEST_IN_ONE_PIECE, null, null);
  }

  /** The most bytes of a packet. */
  public int mostBytes() {
    return mostBytes;
  }

  /**
   * Puts a packet in line; see {@link BatchSender#add}. It may be lengthened.
   *
   * @param to its destination
   * @return its index in the batch
   */
  public int add(long packet, int length, SocketAddress to) {
    return frameHeader == null
        ? sender.add(packet, length, to, 0)
        : sender.add(frameHeader.address(), FRAME_HEADER, packet, length, lo, 0);
  }

  /** Appends bytes to the packet of this index: up to {@link BatchSender#MAX_RUN} times. */
  public void lengthen(int index, long data, int length) {
    sender.lengthen(index, data, length);
  }

  /** Packets in line. */
  public int count() {
    return sender.count();
  }

  /** Sends what is in line; see {@link BatchSender#flush}. */
  public void flush(BatchSender.Outcome outcome) {
    sender.flush(outcome);
  }

  @Override
  public void close() {
    sender.close();
    if (frameHeader != null) {
      frameHeader.close();
    }
  }
}
