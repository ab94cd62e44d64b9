package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * The ways out of a worker: a few sockets of each IP version. A flow always takes the same one, so
 * that its packets stay in order, and different flows have different source ports, by which
 * receivers spread packets over their queues.
 */
final class Lanes implements AutoCloseable {

  /** Each lane costs a system call for a batch, so they are few. A power of two. */
  private static final int COUNT = 4;

  private static final InetAddress ANY_IPV4 = IpAddresses.parse("0.0.0.0");
  private static final InetAddress ANY_IPV6 = IpAddresses.parse("::");

  private final Lane[] ipv4;
  private final Lane[] ipv6;

  Lanes(int capacity, int worker, TrafficCounters counters, SecondsClock clock) throws IOException {
    ipv4 = open(ANY_IPV4, capacity, worker, counters, clock);
    try {
      ipv6 = openIpv6(capacity, worker, counters, clock);
    } catch (IOException e) {
      close(ipv4);
      throw e;
    }
  }

  /** Whether the kernel takes runs of packets. */
  boolean takesRuns() {
    return ipv4[0].takesRuns();
  }

  private static Lane[] open(
      InetAddress any, int capacity, int worker, TrafficCounters counters, SecondsClock clock)
      throws IOException {
    List<Lane> lanes = new ArrayList<>();
    try {
      while (lanes.size() < COUNT) {
        lanes.add(Lane.open(any, capacity, worker, counters, clock));
      }
    } catch (IOException e) {
      lanes.forEach(Lane::close);
      throw e;
    }
    return lanes.toArray(Lane[]::new);
  }

  /** A kernel may be without IPv6; no backend can have registered with such an address then. */
  private static Lane[] openIpv6(
      int capacity, int worker, TrafficCounters counters, SecondsClock clock) throws IOException {
    try {
      return open(ANY_IPV6, capacity, worker, counters, clock);
    } catch (LinuxException e) {
      if (e.errno() == Errno.EAFNOSUPPORT || e.errno() == Errno.EADDRNOTAVAIL) {
        return new Lane[0];
      }
      throw e;
    }
  }

  /**
   * Puts a packet in line.
   *
   * @param way any number that is the same for all packets of a flow
   */
  void add(long packet, int length, Endpoint to, int way, int trafficClass) {
    Lane[] lanes = to.target().ipv6() ? ipv6 : ipv4;
    lanes[way & (COUNT - 1)].add(packet, length, to, trafficClass);
  }

  /** The same for a packet in two places, header and payload. */
  void add(
      long header,
      int headerLength,
      long payload,
      int payloadLength,
      Endpoint to,
      int way,
      int trafficClass) {
    Lane[] lanes = to.target().ipv6() ? ipv6 : ipv4;
    lanes[way & (COUNT - 1)].add(header, headerLength, payload, payloadLength, to, trafficClass);
  }

  void flush() {
    flush(ipv4);
    flush(ipv6);
  }

  private static void flush(Lane[] lanes) {
    for (Lane lane : lanes) {
      lane.flush();
    }
  }

  @Override
  public void close() {
    close(ipv4);
    close(ipv6);
  }

  private static void close(Lane[] lanes) {
    for (Lane lane : lanes) {
      lane.close();
    }
  }
}
