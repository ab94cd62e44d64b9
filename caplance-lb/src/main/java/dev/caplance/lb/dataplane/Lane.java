package dev.caplance.lb.dataplane;

import dev.caplance.lb.routing.Endpoint;
import dev.caplance.linux.BatchSender;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.packet.Verdict;
import java.io.IOException;
import java.net.InetAddress;

/** One UDP socket of a worker, hence one source port, and what waits to be sent through it. */
final class Lane implements BatchSender.Outcome, AutoCloseable {

  /**
   * Packets to a machine that does not answer ARP wait in the kernel on this account; a few such
   * machines must not stop the packets to others.
   */
  private static final int SEND_BUFFER = 16 << 20;

  private final int worker;
  private final TrafficCounters counters;
  private final BatchSender sender;
  private final Endpoint[] endpoints;

  private Lane(LinuxSocket socket, int capacity, int worker, TrafficCounters counters) {
    this.worker = worker;
    this.counters = counters;
    this.sender = new BatchSender(socket, capacity);
    this.endpoints = new Endpoint[capacity];
  }

  /** A lane to endpoints of the family of {@code any}, the unspecified address. */
  static Lane open(InetAddress any, int capacity, int worker, TrafficCounters counters)
      throws IOException {
    LinuxSocket socket = LinuxSocket.udp(any, 0);
    try {
      socket.setSendBuffer(SEND_BUFFER);
      return new Lane(socket, capacity, worker, counters);
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Puts a packet in line. As many as the capacity fit between two calls of {@link #flush}.
   *
   * @param packet where it lies; it must stay there until {@link #flush}
   * @param trafficClass of the outer header
   */
  void add(long packet, int length, Endpoint to, int trafficClass) {
    endpoints[sender.add(packet, length, to.target(), trafficClass)] = to;
  }

  /** Sends what is in line, and counts it. */
  void flush() {
    sender.flush(this);
  }

  @Override
  public void sent(int index, int length) {
    endpoints[index].count(worker, length);
    counters.forwarded(length);
  }

  @Override
  public void refused(int index, int errno) {
    counters.refused(Verdict.SEND_FAILED);
  }

  @Override
  public void close() {
    sender.close();
  }
}
