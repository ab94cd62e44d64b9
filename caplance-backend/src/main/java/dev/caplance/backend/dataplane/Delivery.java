package dev.caplance.backend.dataplane;

import dev.caplance.linux.BatchSender;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.packet.Verdict;

/**
 * The way of decapsulated packets into this machine: a raw socket of one IP version, whose packets
 * to an address of the machine itself turn round on {@code lo}.
 */
final class Delivery implements BatchSender.Outcome, AutoCloseable {

  private final BatchSender sender;
  private final int capacity;
  private final TrafficCounters counters;

  private Delivery(LinuxSocket socket, int capacity, TrafficCounters counters) {
    this.sender = new BatchSender(socket, capacity, false);
    this.capacity = capacity;
    this.counters = counters;
  }

  static Delivery ipv4(int capacity, TrafficCounters counters) throws LinuxException {
    return new Delivery(LinuxSocket.rawIpv4(), capacity, counters);
  }

  static Delivery ipv6(int capacity, TrafficCounters counters) throws LinuxException {
    return new Delivery(LinuxSocket.rawIpv6(), capacity, counters);
  }

  /** Puts a packet in line; it must stay where it is until {@link #flush}. */
  void add(long packet, int length, SocketAddress vip) {
    if (sender.count() == capacity) {
      flush();
    }
    sender.add(packet, length, vip, 0);
  }

  /** Delivers what is in line, and counts it. */
  void flush() {
    sender.flush(this);
  }

  @Override
  public void sent(int index, int datagrams, int bytes) {
    counters.forwarded(datagrams, bytes);
  }

  @Override
  public void refused(int index, int datagrams, int errno) {
    counters.refused(Verdict.SEND_FAILED, datagrams);
  }

  @Override
  public void close() {
    sender.close();
  }
}
