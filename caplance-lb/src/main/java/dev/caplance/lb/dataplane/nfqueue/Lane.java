package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.linux.BatchSender;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;

/**
 * One UDP socket of a worker, hence one source port, and what waits to be sent through it: packets
 * of one size to one endpoint as a run where kernel and interface take that.
 */
final class Lane implements BatchSender.Outcome, AutoCloseable {

  /**
   * Packets to a machine that does not answer ARP wait in the kernel on this account; a few such
   * machines must not stop the packets to others.
   */
  private static final int SEND_BUFFER = 16 << 20;

  /** Endpoints share these by their numbers; a run ends early where two meet. A power of two. */
  private static final int RUNS = 64;

  private final int worker;
  private final TrafficCounters counters;
  private final BatchSender sender;
  private final SecondsClock clock;
  private final boolean takesRuns;
  private final Endpoint[] endpoints;
  private final Run[] runs = new Run[RUNS];
  private int batch;

  /** When the last batch was sent, in seconds. */
  private int now;

  private Lane(
      LinuxSocket socket, int capacity, int worker, TrafficCounters counters, SecondsClock clock) {
    this.worker = worker;
    this.clock = clock;
    this.counters = counters;
    this.takesRuns = socket.takesRuns();
    this.sender = new BatchSender(socket, capacity, takesRuns);
    this.endpoints = new Endpoint[capacity];
    for (int i = 0; i < RUNS; i++) {
      runs[i] = new Run();
    }
  }

  /** A lane to endpoints of the family of {@code any}, the unspecified address. */
  static Lane open(
      InetAddress any, int capacity, int worker, TrafficCounters counters, SecondsClock clock)
      throws IOException {
    LinuxSocket socket = LinuxSocket.udp(any, 0);
    try {
      socket.setSendBuffer(SEND_BUFFER);
      return new Lane(socket, capacity, worker, counters, clock);
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** Whether the kernel takes runs. */
  boolean takesRuns() {
    return takesRuns;
  }

  /**
   * Puts a packet in line.
   *
   * @param packet where it lies; it must stay there until {@link #flush}
   * @param trafficClass of the outer header
   */
  void add(long packet, int length, Endpoint to, int trafficClass) {
    Run run = runs[to.id() & (RUNS - 1)];
    if (run.takes(batch, to, length, trafficClass)) {
      sender.extend(run.message(), packet, length);
      run.added(length);
    } else {
      makeRoom();
      int message = sender.add(packet, length, to.target(), trafficClass);
      begin(run, message, length, to, trafficClass);
    }
  }

  /** The same for a packet in two places. */
  void add(
      long header,
      int headerLength,
      long payload,
      int payloadLength,
      Endpoint to,
      int trafficClass) {
    int length = headerLength + payloadLength;
    Run run = runs[to.id() & (RUNS - 1)];
    if (run.takes(batch, to, length, trafficClass)) {
      sender.extend(run.message(), header, headerLength, payload, payloadLength);
      run.added(length);
    } else {
      makeRoom();
      int message =
          sender.add(header, headerLength, payload, payloadLength, to.target(), trafficClass);
      begin(run, message, length, to, trafficClass);
    }
  }

  /** There are more messages than packets in a batch only when packets are cut into many. */
  private void makeRoom() {
    if (sender.count() == endpoints.length) {
      flush();
    }
  }

  private void begin(Run run, int message, int length, Endpoint to, int trafficClass) {
    endpoints[message] = to;
    run.end();
    if (takesRuns && to.takesRuns(now) && length <= to.maxPacket()) {
      run.begin(batch, to, message, length, trafficClass);
    }
  }

  /** Sends what is in line, and counts it. */
  void flush() {
    if (sender.count() > 0) {
      batch++;
      now = clock.seconds();
      sender.flush(this);
    }
  }

  @Override
  public void sent(int index, int datagrams, int bytes) {
    endpoints[index].count(worker, datagrams, bytes);
    counters.forwarded(datagrams, bytes);
  }

  @Override
  public void refused(int index, int datagrams, int errno) {
    counters.refused(Disposition.SEND_FAILED, datagrams);
  }

  @Override
  public void runRefused(int index, int errno) {
    endpoints[index].refuseRuns(now);
  }

  @Override
  public void close() {
    sender.close();
  }
}
