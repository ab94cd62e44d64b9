package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.Datagram;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.SendBatch;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;

/**
 * One UDP socket of a worker, hence one source port, and the packets that wait to be sent through
 * it. Packets of one size to one target become a GSO batch where the kernel and the interface
 * support that. Owns the socket and the batch but not the packets. For the worker's thread.
 */
final class TransmitQueue implements SendBatch.Listener, AutoCloseable {

  /**
   * Bytes of the send buffer. Packets to a machine that does not answer ARP wait in the kernel and
   * count against it; a few such machines must not block the packets to others.
   */
  private static final int SEND_BUFFER = 16 << 20;

  /**
   * GSO batches that can be open at a time. Targets share these slots by their indexes; if two
   * share one, the GSO batch of either ends early. A power of two.
   */
  private static final int OPEN = 64;

  private static final int NONE = -1;

  private final LinuxSocket socket;
  private final int port;
  private final SendBatch batch;
  private final int worker;
  private final TrafficCounters counters;
  private final SecondsClock clock;
  private final boolean gso;

  /** The target of each message of the batch. */
  private final TargetState[] targets;

  /**
   * The message that packets to a target are appended to, if it belongs to this batch and this
   * target. Slots need not be cleared between batches, since the first message to a target in a
   * batch overwrites its slot.
   */
  private final int[] open = new int[OPEN];

  /** The time of the last flush, in seconds. */
  private int now;

  private TransmitQueue(
      LinuxSocket socket, int capacity, int worker, TrafficCounters counters, SecondsClock clock)
      throws IOException {
    this.socket = socket;
    this.port = socket.localPort();
    this.gso = socket.supportsGso();
    this.batch = new SendBatch(capacity, gso ? SendBatch.GSO_PIECES : SendBatch.DATAGRAM_PIECES);
    this.worker = worker;
    this.counters = counters;
    this.clock = clock;
    this.targets = new TargetState[capacity];
    Arrays.fill(open, NONE);
  }

  /**
   * Opens a queue for targets of one IP version.
   *
   * @param any the unspecified address of that version
   * @param capacity the most messages in a batch
   * @param worker the number of the worker, for the counters of targets
   * @throws IOException if the socket cannot be opened
   */
  static TransmitQueue open(
      InetAddress any, int capacity, int worker, TrafficCounters counters, SecondsClock clock)
      throws IOException {
    LinuxSocket socket = LinuxSocket.udp(any, 0);
    try {
      socket.setSendBuffer(SEND_BUFFER);
      return new TransmitQueue(socket, capacity, worker, counters, clock);
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** The UDP source port of its packets. */
  int port() {
    return port;
  }

  /** Whether the kernel segments GSO batches. */
  boolean supportsGso() {
    return gso;
  }

  /**
   * Adds a packet, which leaves from {@link Target#source}. If there is no room, the waiting
   * packets are sent first.
   *
   * @param packet where it lies; it must stay there until {@link #flush}
   * @param trafficClass of the outer header
   */
  void add(Datagram packet, TargetState to, int trafficClass) {
    int slot = to.index() & (OPEN - 1);
    if (isOpen(open[slot], to, trafficClass) && batch.append(open[slot], packet)) {
      return;
    }
    int message = batch.add(packet, to.socketAddress(), to.source(), trafficClass);
    if (message == SendBatch.FULL) {
      flush();
      message = batch.add(packet, to.socketAddress(), to.source(), trafficClass);
    }
    targets[message] = to;
    boolean mayGrow = gso && to.acceptsGso(now) && packet.length() <= to.maxPacket();
    open[slot] = mayGrow ? message : NONE;
  }

  private boolean isOpen(int message, TargetState to, int trafficClass) {
    return message != NONE
        && message < batch.count()
        && targets[message] == to
        && batch.trafficClass(message) == trafficClass;
  }

  /** Sends the waiting packets, and counts them. */
  void flush() {
    if (batch.count() > 0) {
      now = clock.seconds();
      batch.flush(socket, this);
    }
  }

  @Override
  public void sent(int index, int datagrams, int bytes) {
    targets[index].count(worker, datagrams, bytes);
    counters.forwarded(datagrams, bytes);
  }

  @Override
  public void failed(int index, int datagrams, int errno) {
    counters.refused(Disposition.SEND_FAILED, datagrams);
  }

  @Override
  public void gsoRefused(int index, int errno) {
    targets[index].refuseGso(now);
  }

  @Override
  public void close() {
    socket.close();
    batch.close();
  }
}
