package dev.caplance.backend.dataplane;

import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LocalEntrance;
import dev.caplance.linux.SendBatch;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TcpJoiner;
import dev.caplance.packet.TrafficCounters;
import java.nio.ByteBuffer;

/**
 * Delivers decapsulated packets of one IP version to this machine. TCP segments that follow each
 * other are joined into one packet, which costs the kernel little more than one of them does; it
 * verifies their checksum.
 *
 * <p>There are two entrances, which this owns: the link of {@code lo}, and a raw socket for when
 * the link is shut or there are no packet sockets. For the thread that decapsulates.
 */
final class Delivery implements SendBatch.Listener, AutoCloseable {

  /** In place of the number of packets of a message. */
  private static final int PROBE = -1;

  private final LocalEntrance link;
  private final LocalEntrance raw;
  private final TrafficCounters counters;
  private final TcpJoiner joiner = new TcpJoiner();

  /** Packets of each message, and their bytes before they were joined. */
  private final int[] packets;

  private final int[] bytes;
  private boolean joins;
  private volatile boolean linkShut;
  private LocalEntrance entrance;

  /**
   * Takes over the entrances.
   *
   * @param link null without packet sockets
   * @param capacity packets of a batch of either
   * @param joins whether TCP segments are joined
   */
  Delivery(
      LocalEntrance link,
      LocalEntrance raw,
      int capacity,
      boolean joins,
      TrafficCounters counters) {
    this.link = link;
    this.raw = raw;
    this.entrance = raw;
    this.joins = joins;
    this.counters = counters;
    this.packets = new int[capacity];
    this.bytes = new int[capacity];
  }

  /** Opens the entrances for packets of one IP version; the parameters are the constructor's. */
  static Delivery open(boolean ipv4, int capacity, boolean joins, TrafficCounters counters)
      throws LinuxException {
    LocalEntrance raw = LocalEntrance.raw(ipv4, capacity);
    return new Delivery(linkIfAvailable(ipv4, capacity), raw, capacity, joins, counters);
  }

  /** Null without packet sockets, as under a unit that does not allow them. */
  private static LocalEntrance linkIfAvailable(boolean ipv4, int capacity) {
    try {
      return LocalEntrance.link(ipv4, capacity);
    } catch (LinuxException e) {
      return null;
    }
  }

  /** Whether there are packet sockets, for the shorter path. */
  boolean hasLink() {
    return link != null;
  }

  /** Sets whether packets on the link would be dropped, or forwarded. Any thread may call. */
  void setLinkShut(boolean shut) {
    linkShut = shut;
  }

  /**
   * Adds a packet to the batch; what waits is delivered first when there is no room.
   *
   * @param header of the packet, read from {@code memory}
   * @param memory that holds the packet, and all others until {@link #flush}
   * @param offset where the packet begins in {@code memory}
   * @param base the address of {@code memory}; nothing in it may change until {@link #flush}
   */
  void add(
      IpHeader header, ByteBuffer memory, int offset, int length, long base, SocketAddress vip) {
    if (join(header, memory, offset, length, base)) {
      return;
    }
    joiner.end();
    if (entrance.count() == 0) {
      entrance = linkShut || link == null ? raw : link;
    }
    int message = entrance.add(base + offset, length, vip);
    if (message == SendBatch.FULL) {
      flush();
      message = entrance.add(base + offset, length, vip);
    }
    packets[message] = 1;
    bytes[message] = length;
    if (joins) {
      joiner.begin(header, memory, offset, length, entrance.maxBytes());
    }
  }

  /**
   * Delivers a path probe at once; it is counted as such. The parameters are those of {@link #add}.
   *
   * @param to an address of this machine that need not be on {@code lo}: raw sockets refuse such
   *     IPv6 packets, and on the link none is forwarded
   */
  void deliverProbe(IpHeader header, int offset, int length, long base, SocketAddress to) {
    flush();
    entrance = link == null || (header.ipv4() && linkShut) ? raw : link;
    int message = entrance.add(base + offset, length, to);
    packets[message] = PROBE;
    bytes[message] = length;
    flush();
  }

  /** Whether the packet could be joined to the one before it. */
  private boolean join(IpHeader header, ByteBuffer memory, int offset, int length, long base) {
    int last = entrance.count() - 1;
    if (last < 0
        || packets[last] == LocalEntrance.MAX_PIECES
        || !joiner.join(header, memory, offset, length)) {
      return false;
    }
    int headers = joiner.headerLength();
    if (!entrance.extend(last, base + offset + headers, length - headers)) {
      throw new IllegalStateException("a packet of " + packets[last] + " pieces is full");
    }
    packets[last]++;
    bytes[last] += length;
    return true;
  }

  /** Delivers what waits, and counts it. */
  void flush() {
    joiner.end();
    entrance.flush(this);
  }

  @Override
  public void sent(int index, int datagrams, int joinedBytes) {
    if (packets[index] == PROBE) {
      counters.refused(Disposition.PATH_PROBE);
    } else {
      counters.forwarded(packets[index], bytes[index]);
    }
  }

  /**
   * A joined packet may exceed the MTU of {@code lo}, if that was made small: clients retransmit
   * what was lost, and no more packets are joined.
   */
  @Override
  public void failed(int index, int datagrams, int errno) {
    counters.refused(Disposition.SEND_FAILED, Math.abs(packets[index]));
    if (errno == Errno.EMSGSIZE && packets[index] > 1) {
      joins = false;
    }
  }

  @Override
  public void close() {
    if (link != null) {
      link.close();
    }
    raw.close();
  }
}
