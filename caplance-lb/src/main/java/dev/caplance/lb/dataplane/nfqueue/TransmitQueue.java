package dev.caplance.lb.dataplane.nfqueue;

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
 * support that. Owns the socket and the batch, and not the packets. For the worker's thread.
 */
final class TransmitQueue implements SendBatch.Listener, AutoCloseable {

  /**
   * Packets to a machine that does not answer ARP wait in the kernel and count against this; a few
   * such machines must not stop the packets to others.
   */
  private static final int SEND_BUFFER = 16 << 20;

  /**
   * GSO batches that are open at a time. Targets share them by their indexes; where two meet, one's
   * GSO batch ends early. A power of two.
   */
  private static final int OPEN = 64;

  private static final int NONE = -1;

  private final LinuxSocket socket;
  private final SendBatch batch;
  private final int worker;
  private final TrafficCounters counters;
  private final SecondsClock clock;
  private final boolean gso;

  /** The target of each message of the batch. */
  private final TargetState[] targets;

  /**
   * The message that packets to a target are added to, if it is one of this batch and to this
   * target: what is left from the last batch need not be cleared, since the first message to a
   * target in a batch writes its entry anew.
   */
  private final int[] open = new int[OPEN];

  /** When the last batch was sent, in seconds. */
  private int now;

  private TransmitQueue(
      LinuxSocket socket, int capacity, int worker, TrafficCounters counters, SecondsClock clock) {
    this.socket = socket;
    this.gso = socket.supportsGso();
    this.batch = new SendBatch(capacity, gso ? SendBatch.GSO_PIECES : SendBatch.DATAGRAM_PIECES);
    this.worker = worker;
    this.counters = counters;
    this.clock = clock;
    this.targets = new TargetState[capacity];
    Arrays.fill(open, NONE);
  }

  /**
   * Opens a socket for targets of one IP version.
   *
   * @param any the unspecified address of that version
   * @param capacity messages of a batch
   * @param worker whose queue this is, for the counters of targets
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

  /** Whether the kernel segments GSO batches. */
  boolean supportsGso() {
    return gso;
  }

  /**
   * Adds a packet. What waits is sent first when there is no room.
   *
   * @param packet where it lies; it must stay there until {@link #flush}
   * @param trafficClass of the outer header
   */
  void add(Datagram packet, TargetState to, int trafficClass) {
    int slot = to.index() & (OPEN - 1);
    if (isOpen(open[slot], to, trafficClass) && batch.append(open[slot], packet)) {
      return;
    }
    int message = batch.add(packet, to.socketAddress(), trafficClass);
    if (message == SendBatch.FULL) {
      flush();
      message = batch.add(packet, to.socketAddress(), trafficClass);
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

  /** Sends what waits, and counts it. */
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
