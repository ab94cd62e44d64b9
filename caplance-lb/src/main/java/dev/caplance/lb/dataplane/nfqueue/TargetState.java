package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.SocketAddress;
import dev.caplance.linux.SourceAddress;
import dev.caplance.packet.EncapsulationFragments.Ends;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What this data plane keeps about sending to one target, across all tables that have it: its
 * socket address, its traffic counters, and whether GSO batches work on the path. Each worker
 * counts in cells of its own, so counting needs no lock; any thread may read.
 */
final class TargetState {

  /** Cells per worker: a cache line, so that workers do not slow each other down. */
  private static final int STRIDE = 8;

  private static final int PACKETS = 0;
  private static final int BYTES = 1;
  private static final int SECONDS_WITHOUT_GSO = 30;

  /** Every IPv4 path takes so many bytes (RFC 791). */
  private static final int MIN_IPV4_MTU = 68;

  private final SocketAddress socketAddress;
  private final AtomicLongArray cells;
  private volatile Target target;
  private volatile SourceAddress source;
  private volatile Ends ends;
  private volatile int maxPacket;
  private volatile int noGsoBefore;

  /**
   * Creates the state of a target that nothing has been sent to.
   *
   * @param dataPort the UDP port of backends, 1 to 65535
   * @param workers the number of workers that will count
   */
  TargetState(Target target, int dataPort, int workers) {
    this.target = target;
    this.source = SourceAddress.of(target.source());
    this.ends = Ends.of(target.source(), target.address(), dataPort);
    this.socketAddress = SocketAddress.of(target.address(), dataPort);
    this.cells = new AtomicLongArray(workers * STRIDE);
    this.maxPacket = target.maxPacket();
  }

  /** Whether this is the state of the same registration as the target's. */
  boolean isOf(Target other) {
    return target.id() == other.id();
  }

  /** Replaces the target. If its MTU has changed, GSO batches are tried again. */
  void update(Target now) {
    if (!now.source().equals(target.source())) {
      source = SourceAddress.of(now.source());
      ends = Ends.of(now.source(), now.address(), ends.port());
    }
    target = now;
    if (maxPacket != now.maxPacket()) {
      maxPacket = now.maxPacket();
      noGsoBefore = 0;
    }
  }

  /** See {@link Target#index}. */
  int index() {
    return target.index();
  }

  /** See {@link Target#maxPacket}. */
  int maxPacket() {
    return maxPacket;
  }

  /** Bytes of the largest outer packet, for fragments. */
  int mtu() {
    return Math.max(target.mtu(), MIN_IPV4_MTU);
  }

  /** The addresses and the port of its packets, for fragments. */
  Ends ends() {
    return ends;
  }

  /** The data address and port in the form that the kernel takes. */
  SocketAddress socketAddress() {
    return socketAddress;
  }

  /** See {@link Target#source}. */
  SourceAddress source() {
    return source;
  }

  /**
   * Whether packets may be sent there in GSO batches.
   *
   * @param now in seconds, on the same clock as in {@link #refuseGso}
   */
  boolean acceptsGso(int now) {
    return now >= noGsoBefore;
  }

  /**
   * Notes that the path refused a GSO batch. No others are sent until the MTU changes or 30 seconds
   * have passed, since other errors look the same. Any thread may call.
   */
  void refuseGso(int now) {
    noGsoBefore = now + SECONDS_WITHOUT_GSO;
  }

  /**
   * Counts packets that were sent. Only the worker with this number may call.
   *
   * @param bytes of the packets, without the encapsulation
   */
  void count(int worker, int packets, int bytes) {
    int cell = worker * STRIDE;
    cells.lazySet(cell + PACKETS, cells.getPlain(cell + PACKETS) + packets);
    cells.lazySet(cell + BYTES, cells.getPlain(cell + BYTES) + bytes);
  }

  /** The traffic that all workers have sent. */
  Dataplane.TargetTraffic traffic() {
    return new Dataplane.TargetTraffic(sum(PACKETS), sum(BYTES));
  }

  private long sum(int cell) {
    long sum = 0;
    for (int i = cell; i < cells.length(); i += STRIDE) {
      sum += cells.get(i);
    }
    return sum;
  }
}
