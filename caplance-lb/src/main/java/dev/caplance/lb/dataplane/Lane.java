package dev.caplance.lb.dataplane;

import dev.caplance.lb.routing.Endpoint;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.SendBatch;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.packet.Verdict;
import java.io.IOException;
import java.net.InetAddress;

/** One UDP socket of a worker, hence one source port, and what waits to be sent through it. */
final class Lane implements AutoCloseable {

  /**
   * Packets to a machine that does not answer ARP wait in the kernel on this account; a few such
   * machines must not stop the packets to others.
   */
  private static final int SEND_BUFFER = 16 << 20;

  private final int worker;
  private final TrafficCounters counters;
  private final LinuxSocket socket;
  private final SendBatch batch;
  private final Endpoint[] endpoints;

  /** A lane to endpoints of the family of {@code any}, the unspecified address. */
  Lane(InetAddress any, int capacity, int worker, TrafficCounters counters) throws IOException {
    this.worker = worker;
    this.counters = counters;
    this.socket = LinuxSocket.udp(any, 0);
    this.socket.setSendBuffer(SEND_BUFFER);
    this.batch = new SendBatch(capacity);
    this.endpoints = new Endpoint[capacity];
  }

  /**
   * Puts a packet in line. As many as the capacity fit between two calls of {@link #flush}.
   *
   * @param packet where it lies; it must stay there until {@link #flush}
   * @param trafficClass of the outer header
   */
  void add(long packet, int length, Endpoint to, int trafficClass) {
    endpoints[batch.count()] = to;
    batch.add(packet, length, to.target(), trafficClass);
  }

  /** Sends what is in line, and counts it. A packet that the kernel refuses stops no other. */
  void flush() {
    int next = 0;
    while (next < batch.count()) {
      int sent = socket.send(batch, next);
      if (sent > 0) {
        for (int end = next + sent; next < end; next++) {
          endpoints[next].count(worker, batch.length(next));
          counters.forwarded(batch.length(next));
        }
      } else {
        counters.refused(Verdict.SEND_FAILED);
        next++;
      }
    }
    batch.clear();
  }

  @Override
  public void close() {
    socket.close();
    batch.close();
  }
}
