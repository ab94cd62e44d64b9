package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.linux.Datagram;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.SendBatch;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.EncapsulationFragments;
import dev.caplance.packet.EncapsulationFragments.Ends;
import dev.caplance.packet.TrafficCounters;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Packets that are larger than the path to their target: sent in fragments that fit it, through raw
 * sockets, with the UDP source port that other packets of the flow have. A packet counts as sent
 * when the kernel has taken all of its fragments. Owns its sockets. Allocates nothing once it is
 * created. For the worker's thread.
 */
final class FragmentQueue implements AutoCloseable {

  private static final int SLOTS = 256;
  private static final int SLOT = 64;

  private final NativeMemory headers = NativeMemory.allocate(SLOTS * SLOT);
  private final ByteBuffer headerBytes = headers.networkBytes();
  private final EncapsulationFragments fragments = new EncapsulationFragments();
  private final Datagram datagram = new Datagram();
  private final TrafficCounters counters;
  private final int worker;
  private final int workers;
  private final Version ipv4;

  /** Null if the kernel has no IPv6. */
  private final Version ipv6;

  private int used;
  private int identification;

  /** Opens raw sockets. Needs CAP_NET_RAW. */
  FragmentQueue(int worker, int workers, TrafficCounters counters) throws LinuxException {
    this(LinuxSocket.rawIpv4(), openIpv6(), worker, workers, counters);
  }

  /**
   * Creates a queue on given sockets, which it closes.
   *
   * @param ipv6 null if the kernel has no IPv6
   * @param workers the number of workers, which must not use the same identifications
   */
  FragmentQueue(
      SendBatch.Sink ipv4, SendBatch.Sink ipv6, int worker, int workers, TrafficCounters counters) {
    this.ipv4 = new Version(ipv4);
    this.ipv6 = ipv6 == null ? null : new Version(ipv6);
    this.worker = worker;
    this.workers = workers;
    this.counters = counters;
    this.identification = ThreadLocalRandom.current().nextInt(1 << 16) * workers + worker;
  }

  private static LinuxSocket openIpv6() {
    try {
      return LinuxSocket.rawIpv6();
    } catch (LinuxException e) {
      return null;
    }
  }

  /**
   * Adds a packet.
   *
   * @param bytes that hold the packet, network byte order; it must stay there until {@link #flush}
   * @param at where it begins in {@code bytes}
   * @param address where it begins in memory
   * @param sourcePort of the flow's transmit queue
   * @param trafficClass of the outer header
   */
  void add(
      ByteBuffer bytes,
      int at,
      long address,
      int length,
      TargetState to,
      int sourcePort,
      int trafficClass) {
    Ends ends = to.ends();
    Version version = ends.ipv4() ? ipv4 : ipv6;
    if (version == null) {
      counters.refused(Disposition.SEND_FAILED);
      return;
    }
    fragments.begin(
        ends, sourcePort, trafficClass, to.mtu(), nextIdentification(), bytes, at, length);
    while (fragments.hasNext()) {
      if (used == SLOTS) {
        flush();
      }
      int slot = used++ * SLOT;
      int header = fragments.writeNext(headerBytes, slot);
      datagram.set(
          headers.address() + slot,
          header,
          address + fragments.payloadOffset(),
          fragments.payloadLength());
      version.add(datagram, ends, to, fragments.hasNext() ? 0 : length);
    }
  }

  /** The kernel would choose another in place of 0, for each fragment a different one. */
  private int nextIdentification() {
    do {
      identification += workers;
    } while ((identification & 0xffff) == 0);
    return identification;
  }

  /** Sends the waiting fragments, and counts their packets. */
  void flush() {
    if (used > 0) {
      ipv4.flush();
      if (ipv6 != null) {
        ipv6.flush();
      }
      used = 0;
    }
  }

  /** What waits to be sent over one IP version. */
  private final class Version implements SendBatch.Listener {
    private final SendBatch.Sink socket;
    private final SendBatch batch = new SendBatch(SLOTS, SendBatch.DATAGRAM_PIECES);
    private final TargetState[] targets = new TargetState[SLOTS];

    /** Bytes of the packet whose last fragment a message is; 0 for other fragments. */
    private final int[] packets = new int[SLOTS];

    /** Whether a fragment of the current packet was refused. */
    private boolean incomplete;

    Version(SendBatch.Sink socket) {
      this.socket = socket;
    }

    void add(Datagram fragment, Ends ends, TargetState to, int packet) {
      int message =
          batch.addRaw(fragment, ends.ipv4(), ends.destinationHigh(), ends.destinationLow());
      targets[message] = to;
      packets[message] = packet;
    }

    void flush() {
      batch.flush(socket, this);
      Arrays.fill(targets, null);
    }

    @Override
    public void sent(int index, int datagrams, int bytes) {
      if (packets[index] > 0) {
        count(index);
      }
    }

    @Override
    public void failed(int index, int datagrams, int errno) {
      incomplete = true;
      if (packets[index] > 0) {
        count(index);
      }
    }

    private void count(int index) {
      if (incomplete) {
        counters.refused(Disposition.SEND_FAILED);
      } else {
        targets[index].count(worker, 1, packets[index]);
        counters.forwarded(1, packets[index]);
      }
      incomplete = false;
    }

    void close() {
      socket.close();
      batch.close();
    }
  }

  @Override
  public void close() {
    ipv4.close();
    if (ipv6 != null) {
      ipv6.close();
    }
    headers.close();
  }
}
