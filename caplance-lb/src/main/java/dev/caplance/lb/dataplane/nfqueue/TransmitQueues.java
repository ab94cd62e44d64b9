package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.linux.Datagram;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * The transmit queues of a worker, a few for each IP version. A flow always uses the same queue,
 * which keeps its packets in order; the queues have different source ports, by which receivers
 * spread packets over their own queues. Owns the queues. For the worker's thread.
 */
final class TransmitQueues implements AutoCloseable {

  /** Queues per IP version: few, because each costs a system call per batch. A power of two. */
  private static final int COUNT = 4;

  private static final InetAddress ANY_IPV4 = IpAddresses.parse("0.0.0.0");
  private static final InetAddress ANY_IPV6 = IpAddresses.parse("::");

  private final TransmitQueue[] ipv4;
  private final TransmitQueue[] ipv6;

  /** Opens the queues; see {@link TransmitQueue#open}. */
  TransmitQueues(int capacity, int worker, TrafficCounters counters, SecondsClock clock)
      throws IOException {
    ipv4 = open(ANY_IPV4, capacity, worker, counters, clock);
    try {
      ipv6 = openIpv6(capacity, worker, counters, clock);
    } catch (IOException e) {
      close(ipv4);
      throw e;
    }
  }

  /** Whether the kernel segments GSO batches. */
  boolean supportsGso() {
    return ipv4[0].supportsGso();
  }

  private static TransmitQueue[] open(
      InetAddress any, int capacity, int worker, TrafficCounters counters, SecondsClock clock)
      throws IOException {
    List<TransmitQueue> queues = new ArrayList<>();
    try {
      while (queues.size() < COUNT) {
        queues.add(TransmitQueue.open(any, capacity, worker, counters, clock));
      }
    } catch (IOException e) {
      queues.forEach(TransmitQueue::close);
      throw e;
    }
    return queues.toArray(TransmitQueue[]::new);
  }

  /**
   * Returns no queues if the kernel has no IPv6: no backend can have registered with such an
   * address.
   */
  private static TransmitQueue[] openIpv6(
      int capacity, int worker, TrafficCounters counters, SecondsClock clock) throws IOException {
    try {
      return open(ANY_IPV6, capacity, worker, counters, clock);
    } catch (LinuxException e) {
      if (e.errno() == Errno.EAFNOSUPPORT || e.errno() == Errno.EADDRNOTAVAIL) {
        return new TransmitQueue[0];
      }
      throw e;
    }
  }

  /**
   * Adds a packet to the queue of its flow; see {@link TransmitQueue#add}.
   *
   * @param flowHash selects the queue; the same for all packets of a flow
   */
  void add(Datagram packet, TargetState to, int flowHash, int trafficClass) {
    queue(to, flowHash).add(packet, to, trafficClass);
  }

  /** The UDP source port of a flow's packets to a target. */
  int port(TargetState to, int flowHash) {
    return queue(to, flowHash).port();
  }

  private TransmitQueue queue(TargetState to, int flowHash) {
    TransmitQueue[] queues = to.socketAddress().ipv6() ? ipv6 : ipv4;
    return queues[flowHash & (COUNT - 1)];
  }

  /** Sends the waiting packets of all queues. */
  void flush() {
    flush(ipv4);
    flush(ipv6);
  }

  private static void flush(TransmitQueue[] queues) {
    for (TransmitQueue queue : queues) {
      queue.flush();
    }
  }

  @Override
  public void close() {
    close(ipv4);
    close(ipv6);
  }

  private static void close(TransmitQueue[] queues) {
    for (TransmitQueue queue : queues) {
      queue.close();
    }
  }
}
