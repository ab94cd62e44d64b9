package dev.caplance.backend.dataplane;

import dev.caplance.linux.BatchSender;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LocalEntrance;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TcpJoiner;
import dev.caplance.packet.TrafficCounters;
import java.nio.ByteBuffer;

/**
 * The way of decapsulated packets of one IP version into this machine. TCP segments that follow
 * each other go as one packet, which costs the kernel little more than one of them. Their checksum
 * is verified there.
 *
 * <p>There are two entrances: the link behind {@code lo}, and a raw socket for when {@code
 * rp_filter} shuts that one or there are no packet sockets.
 */
final class Delivery implements BatchSender.Outcome, AutoCloseable {

  /** Pieces that a message can have. */
  private static final int MOST_JOINED = BatchSender.MAX_RUN;

  private final LocalEntrance link;
  private final LocalEntrance raw;
  private final int capacity;
  private final TrafficCounters counters;
  private final TcpJoiner joiner = new TcpJoiner();

  /** Packets of each message, and their bytes before they were joined. */
  private final int[] packets;

  private final int[] bytes;
  private boolean joins;
  private volatile boolean linkShut;
  private LocalEntrance entrance;

  private Delivery(
      LocalEntrance link,
      LocalEntrance raw,
      int capacity,
      boolean joins,
      TrafficCounters counters) {
    this.link = link;
    this.raw = raw;
    this.entrance = link == null ? raw : link;
    this.joins = joins;
    this.capacity = capacity;
    this.counters = counters;
    this.packets = new int[capacity];
    this.bytes = new int[capacity];
  }

  /**
   * For packets of one IP version.
   *
   * @param capacity packets of a batch
   * @param joins whether TCP segments are joined
   */
  static Delivery open(boolean ipv4, int capacity, boolean joins, TrafficCounters counters)
      throws LinuxException {
    LocalEntrance raw = LocalEntrance.raw(ipv4, capacity);
    return new Delivery(linkIfThereIsOne(ipv4, capacity), raw, capacity, joins, counters);
  }

  /** Null without packet sockets, as under a unit that does not allow them. */
  private static LocalEntrance linkIfThereIsOne(boolean ipv4, int capacity) {
    try {
      return LocalEntrance.link(ipv4, capacity);
    } catch (LinuxException e) {
      return null;
    }
  }

  /** Whether there are packet sockets, for the shorter way. */
  boolean hasLink() {
    return link != null;
  }

  /** Whether {@code rp_filter} refuses packets on {@code lo}. Any thread may call. */
  void setLinkShut(boolean shut) {
    linkShut = shut;
  }

  /**
   * Puts a packet in line; it must stay where it is until {@link #flush}.
   *
   * @param header of the packet, read from {@code memory}
   * @param memory that holds the packet, and all others until {@link #flush}
   * @param offset where it begins in them
   * @param packet the same as an address
   */
  void add(
      IpHeader header, ByteBuffer memory, int offset, long packet, int length, SocketAddress vip) {
    int last = entrance.count() - 1;
    if (last >= 0 && packets[last] < MOST_JOINED && joiner.join(header, memory, offset, length)) {
      int headers = joiner.headerLength();
      entrance.lengthen(last, packet + headers, length - headers);
      packets[last]++;
      bytes[last] += length;
      return;
    }
    joiner.end();
    if (entrance.count() == capacity) {
      flush();
    }
    int message = entrance.add(packet, length, vip);
    packets[message] = 1;
    bytes[message] = length;
    if (joins) {
      joiner.begin(header, memory, offset, length, entrance.mostBytes());
    }
  }

  /** Delivers what is in line, and counts it. */
  void flush() {
    joiner.end();
    entrance.flush(this);
    entrance = linkShut || link == null ? raw : link;
  }

  @Override
  public void sent(int index, int datagrams, int joinedBytes) {
    counters.forwarded(packets[index], bytes[index]);
  }

  /**
   * Where {@code lo} has been given a small MTU, clients send again what was joined and refused.
   */
  @Override
  public void refused(int index, int datagrams, int errno) {
    counters.refused(Disposition.SEND_FAILED, packets[index]);
    joins = joins && (errno != Errno.EMSGSIZE || packets[index] == 1);
  }

  @Override
  public void close() {
    if (link != null) {
      link.close();
    }
    raw.close();
  }
}
