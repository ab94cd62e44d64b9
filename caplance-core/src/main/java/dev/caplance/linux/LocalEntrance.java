package dev.caplance.linux;

/**
 * Delivers whole IP packets of one version to addresses of this machine: they arrive on {@code lo}.
 * Owns its socket and a {@link SendBatch}, and not the packets. For one thread.
 */
public final class LocalEntrance implements AutoCloseable {

  /** The most pieces that a packet may lie in. */
  public static final int MAX_PIECES = 64;

  /** The most bytes of a packet; the Internet Protocol has no longer ones. */
  private static final int LARGEST_PACKET = 65_535;

  /** A raw socket's packet lies in one block, here of 32 KiB: larger ones are slow to get. */
  private static final int LARGEST_IN_ONE_PIECE = 32_000;

  /**
   * Each frame begins with {@code struct virtio_net_hdr { u8 flags; u8 gso_type; u16 hdr_len; u16
   * gso_size; u16 csum_start; u16 csum_offset; }} ({@code linux/virtio_net.h}) and the addresses
   * and protocol of Ethernet. {@code hdr_len} bytes of the frame lie in one piece, the kernel
   * spreads the rest over pages.
   */
  private static final int VNET_HEADER = 10;

  private static final int HEADER_LENGTH = 2;
  private static final int MAC = 6;
  private static final int ETHERNET_HEADER = 14;
  private static final int ETHERTYPE = VNET_HEADER + 2 * MAC;
  private static final int FRAME_HEADER = VNET_HEADER + ETHERNET_HEADER;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86dd;
  private static final int MIN_IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;

  /** {@code lo} is the first interface of each network namespace. */
  private static final int LO = 1;

  private static final String LO_NAME = "lo";

  private final SendBatch.Sink socket;
  private final SendBatch batch;
  private final Datagram datagram = new Datagram();
  private final int maxBytes;
  private final NativeMemory frameHeader;
  private final SocketAddress lo;

  /**
   * An entrance through a socket that takes whole IP packets.
   *
   * @param socket becomes the entrance's own
   * @param capacity packets of a batch, 1 to 1024
   * @param maxBytes of a packet
   */
  public LocalEntrance(SendBatch.Sink socket, int capacity, int maxBytes) {
    this(socket, capacity, maxBytes, null, null);
  }

  private LocalEntrance(
      SendBatch.Sink socket,
      int capacity,
      int maxBytes,
      NativeMemory frameHeader,
      SocketAddress lo) {
    this.socket = socket;
    this.batch = new SendBatch(capacity, MAX_PIECES + 1);
    this.maxBytes = maxBytes;
    this.frameHeader = frameHeader;
    this.lo = lo;
  }

  /**
   * Through the link of {@code lo}, which is the shorter path. IPv4 packets are subject to {@code
   * rp_filter}, which drops all of them when it is 1 for {@code lo} or for all interfaces. A
   * machine that forwards packets also forwards one whose destination is not an address of its own:
   * do not use this entrance then.
   *
   * @param capacity packets of a batch, 1 to 1024
   */
  public static LocalEntrance link(boolean ipv4, int capacity) throws LinuxException {
    LinuxSocket socket = LinuxSocket.frames();
    int etherType = ipv4 ? IPV4 : IPV6;
    int headerLength = ETHERNET_HEADER + (ipv4 ? MIN_IPV4_HEADER : IPV6_HEADER);
    NativeMemory header = NativeMemory.allocate(FRAME_HEADER);
    header.nativeBytes().putShort(HEADER_LENGTH, (short) headerLength);
    header.networkBytes().putShort(ETHERTYPE, (short) etherType);
    SocketAddress lo = SocketAddress.link(LO, etherType, new byte[MAC]);
    return new LocalEntrance(socket, capacity, LARGEST_PACKET, header, lo);
  }

  /**
   * Through a raw socket, whose packets are routed as if this machine had made them: it works with
   * every {@code rp_filter}. The socket is bound to {@code lo}, so that no packet ever leaves the
   * machine. If the destination is not an address of the machine, IPv4 delivers the packet
   * nevertheless, and IPv6 refuses it with ENETUNREACH, as it does if the address is not on {@code
   * lo}.
   *
   * @param capacity packets of a batch, 1 to 1024
   */
  public static LocalEntrance raw(boolean ipv4, int capacity) throws LinuxException {
    LinuxSocket socket = ipv4 ? LinuxSocket.rawIpv4() : LinuxSocket.rawIpv6();
    try {
      socket.bindToDevice(LO_NAME);
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
    return new LocalEntrance(socket, capacity, LARGEST_IN_ONE_PIECE);
  }

  /** The most bytes of a packet. */
  public int maxBytes() {
    return maxBytes;
  }

  /**
   * Adds a packet to the batch.
   *
   * @param packet where it lies; it must stay there until {@link #flush}
   * @param to its destination
   * @return its index in the batch, or {@link SendBatch#FULL}
   */
  public int add(long packet, int length, SocketAddress to) {
    return frameHeader == null
        ? batch.add(datagram.set(packet, length), to, 0)
        : batch.add(datagram.set(frameHeader.address(), FRAME_HEADER, packet, length), lo, 0);
  }

  /**
   * Makes the packet of this index longer.
   *
   * @return false when it consists of {@link #MAX_PIECES} pieces already
   */
  public boolean extend(int index, long data, int length) {
    return batch.extend(index, data, length);
  }

  /** Packets that wait. */
  public int count() {
    return batch.count();
  }

  /** Sends what waits; see {@link SendBatch#flush}. */
  public void flush(SendBatch.Listener listener) {
    batch.flush(socket, listener);
  }

  @Override
  public void close() {
    socket.close();
    batch.close();
    if (frameHeader != null) {
      frameHeader.close();
    }
  }
}
