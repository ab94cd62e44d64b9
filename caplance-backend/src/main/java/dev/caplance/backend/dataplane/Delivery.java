package dev.caplance.backend.dataplane;

import dev.caplance.linux.BatchSender;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TcpJoiner;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.packet.Verdict;
import java.nio.ByteBuffer;

/**
 * The way of decapsulated packets into this machine: a raw socket of one IP version, whose packets
 * to an address of the machine itself turn round on {@code lo}. TCP segments that follow each other
 * go as one packet, which costs the kernel little more than one of them. Their checksum is verified
 * there.
 */
final class Delivery implements BatchSender.Outcome, AutoCloseable {

  /** Pieces that a message can have. */
  private static final int MOST_JOINED = BatchSender.MAX_RUN;

  private final BatchSender sender;
  private final int capacity;
  private final TrafficCounters counters;
  private final TcpJoiner joiner = new TcpJoiner();

  /** Packets of each message, and their bytes before they were joined. */
  private final int[] packets;

  private final int[] bytes;
  private boolean joins = true;

  private Delivery(LinuxSocket socket, int capacity, TrafficCounters counters) {
    this.sender = new BatchSender(socket, capacity, true);
    this.capacity = capacity;
    this.counters = counters;
    this.packets = new int[capacity];
    this.bytes = new int[capacity];
  }

  static Delivery ipv4(int capacity, TrafficCounters counters) throws LinuxException {
    return new Delivery(LinuxSocket.rawIpv4(), capacity, counters);
  }

  static Delivery ipv6(int capacity, TrafficCounters counters) throws LinuxException {
    return new Delivery(LinuxSocket.rawIpv6(), capacity, counters);
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
    int last = sender.count() - 1;
    if (last >= 0 && packets[last] < MOST_JOINED && joiner.join(header, memory, offset, length)) {
      int headers = joiner.headerLength();
      sender.lengthen(last, packet + headers, length - headers);
      packets[last]++;
      bytes[last] += length;
      return;
    }
    joiner.end();
    if (sender.count() == capacity) {
      flush();
    }
    int message = sender.add(packet, length, vip, 0);
    packets[message] = 1;
    bytes[message] = length;
    if (joins) {
      joiner.begin(header, memory, offset, length);
    }
  }

  /** Delivers what is in line, and counts it. */
  void flush() {
    joiner.end();
    sender.flush(this);
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
    counters.refused(Verdict.SEND_FAILED, packets[index]);
    joins = joins && (errno != Errno.EMSGSIZE || packets[index] == 1);
  }

  @Override
  public void close() {
    sender.close();
  }
}
