package dev.caplance.linux;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * Room for the messages of one {@code recvmmsg}: {@link #capacity} slots in one block outside the
 * heap that the batch owns, filled by {@link LinuxSocket#receive(ReceiveBatch)} and read in place
 * until the next call. For one thread.
 */
public final class ReceiveBatch implements AutoCloseable {

  /**
   * Keeps the stride from being a multiple of the page size, or all slots would share cache sets.
   */
  private static final int SKEW = 5 * 64;

  /** {@code struct cmsghdr { size_t len; int level; int type; }} and an int, padded: 24 bytes. */
  private static final int CONTROL = 24;

  private static final int CONTROL_LEVEL = 8;
  private static final int CONTROL_TYPE = 12;
  private static final int CONTROL_DATA = 16;

  final MessageHeaders headers;

  private final int capacity;
  private final int stride;
  private final NativeMemory data;
  private final NativeMemory names;
  private final boolean datagrams;
  private final int controls;
  private final ByteBuffer bytes;
  private final ByteBuffer nameBytes;
  private final ByteBuffer controlBytes;
  private int received;

  /**
   * Allocates a batch for UDP: with senders, and with GRO batches if the socket asks for them.
   *
   * @param capacity messages of a batch, 1 to 1024 (the most that {@code recvmmsg} takes)
   * @param slotSize bytes of the largest message, up to 128 KiB; a longer one is cut short and
   *     {@link #truncated}
   */
  public static ReceiveBatch ofDatagrams(int capacity, int slotSize) {
    return new ReceiveBatch(capacity, slotSize, true);
  }

  /** The same for messages of the kernel, which have no sender. */
  public static ReceiveBatch ofKernelMessages(int capacity, int slotSize) {
    return new ReceiveBatch(capacity, slotSize, false);
  }

  private ReceiveBatch(int capacity, int slotSize, boolean datagrams) {
    this.datagrams = datagrams;
    this.capacity = capacity;
    this.stride = (slotSize + 4095) / 4096 * 4096 + SKEW;
    this.headers = new MessageHeaders(capacity, 1);
    this.data = NativeMemory.allocate(Math.multiplyExact(capacity, stride));
    this.names = NativeMemory.allocate(capacity * (SocketAddress.MAX_LENGTH + CONTROL));
    this.bytes = data.networkBytes();
    this.nameBytes = names.networkBytes();
    this.controls = capacity * SocketAddress.MAX_LENGTH;
    this.controlBytes = names.nativeBytes();
    for (int i = 0; i < capacity; i++) {
      headers.setPiece(i, 0, data.address() + offset(i), slotSize);
      if (datagrams) {
        headers.setName(i, nameAddress(i), SocketAddress.MAX_LENGTH);
        headers.setControl(i, names.address() + controls + (long) i * CONTROL, CONTROL);
      }
    }
  }

  /** Messages that fit. */
  public int capacity() {
    return capacity;
  }

  /** The memory that all messages lie in, network byte order; absolute access only. */
  public ByteBuffer bytes() {
    return bytes;
  }

  /** Where {@link #bytes} begins, for {@link Datagram}s that lie in it. */
  public long address() {
    return data.address();
  }

  /** Where message {@code index} begins in {@link #bytes}. */
  public int offset(int index) {
    return index * stride;
  }

  /** Bytes of message {@code index}. */
  public int length(int index) {
    return headers.transferred(index);
  }

  /**
   * Bytes of each datagram of the GRO batch in message {@code index}, of which the last may be
   * shorter; those of the whole message unless {@link LinuxSocket#enableGro} was called.
   */
  public int datagramSize(int index) {
    int at = controls + index * CONTROL;
    boolean joined =
        headers.controlLength(index) > CONTROL_DATA
            && controlBytes.getInt(at + CONTROL_LEVEL) == Libc.IPPROTO_UDP
            && controlBytes.getInt(at + CONTROL_TYPE) == Libc.UDP_GRO
            && controlBytes.getInt(at + CONTROL_DATA) > 0;
    return joined ? controlBytes.getInt(at + CONTROL_DATA) : length(index);
  }

  /** Whether message {@code index} was longer than a slot. */
  public boolean truncated(int index) {
    return (headers.flags(index) & Libc.MSG_TRUNC) != 0;
  }

  /** Bytes 0 to 7 of the sender's address, IPv4 as ::ffff:a.b.c.d. */
  public long senderHigh(int index) {
    int at = index * SocketAddress.MAX_LENGTH;
    return isIpv6(at) ? nameBytes.getLong(at + SocketAddress.IPV6_ADDRESS) : 0;
  }

  /** Bytes 8 to 15 of the sender's address, IPv4 as ::ffff:a.b.c.d. */
  public long senderLow(int index) {
    int at = index * SocketAddress.MAX_LENGTH;
    return isIpv6(at)
        ? nameBytes.getLong(at + SocketAddress.IPV6_ADDRESS + Long.BYTES)
        : 0xffff_0000_0000L
            | Integer.toUnsignedLong(nameBytes.getInt(at + SocketAddress.IPV4_ADDRESS));
  }

  /** The sender's address as an object: for the few messages that are not packets. */
  public InetAddress sender(int index) {
    int at = index * SocketAddress.MAX_LENGTH;
    boolean ipv6 = isIpv6(at);
    byte[] address = new byte[ipv6 ? 16 : 4];
    nameBytes.get(at + (ipv6 ? SocketAddress.IPV6_ADDRESS : SocketAddress.IPV4_ADDRESS), address);
    try {
      return InetAddress.getByAddress(address);
    } catch (UnknownHostException e) {
      throw new AssertionError("4 or 16 bytes are an address", e);
    }
  }

  /** The port that message {@code index} was sent from. */
  public int senderPort(int index) {
    return Short.toUnsignedInt(
        nameBytes.getShort(index * SocketAddress.MAX_LENGTH + SocketAddress.PORT));
  }

  /** {@code sa_family} is in the machine's order, little-endian: its first byte is enough. */
  private boolean isIpv6(int at) {
    return nameBytes.get(at) == Libc.AF_INET6;
  }

  /** The kernel overwrites lengths with what it used; the next call needs the room again. */
  void restoreRoom() {
    for (int i = 0; datagrams && i < received; i++) {
      headers.setNameLength(i, SocketAddress.MAX_LENGTH);
      headers.setControlLength(i, CONTROL);
    }
  }

  /** Notes how many messages have come. */
  void received(int count) {
    received = count;
  }

  private long nameAddress(int index) {
    return names.address() + (long) index * SocketAddress.MAX_LENGTH;
  }

  @Override
  public void close() {
    headers.close();
    data.close();
    names.close();
  }
}
