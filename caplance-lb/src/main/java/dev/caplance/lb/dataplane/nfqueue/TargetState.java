package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.SocketAddress;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What this data plane keeps about sending to one target, through all tables that have it: its
 * socket address, what was sent, and whether GSO batches work on the path. Each worker counts in
 * cells of its own, so that counting needs no lock; any thread may read.
 */
final class TargetState {

  /** Cells of a worker: a cache line, so that workers do not slow each other down. */
  private static final int STRIDE = 8;

  private static final int PACKETS = 0;
  private static final int BYTES = 1;
  private static final int SECONDS_WITHOUT_GSO = 30;

  private final SocketAddress socketAddress;
  private final AtomicLongArray cells;
  private volatile Target target;
  private volatile int maxPacket;
  private volatile int noGsoBefore;

  /**
   * The state of a target that nothing was sent to yet.
   *
   * @param dataPort UDP, 1 to 65535
   * @param workers how many workers will count
   */
  TargetState(Target target, int dataPort, int workers) {
    this.target = target;
    this.socketAddress = SocketAddress.of(target.address(), dataPort);
    this.cells = new AtomicLongArray(workers * STRIDE);
    this.maxPacket = target.maxPacket();
  }

  /** Whether this is the state of the same registration of a backend. */
  boolean isOf(Target other) {
    return target.id() == other.id();
  }

  /** The target may have another MTU now; then GSO batches are tried again. */
  void update(Target now) {
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

  /** The data address and port as the kernel takes them. */
  SocketAddress socketAddress() {
    return socketAddress;
  }

  /**
   * Whether packets may be sent there in GSO batches.
   *
   * @param now in seconds, on the clock of those who call {@link #refuseGso}
   */
  boolean acceptsGso(int now) {
    return now >= noGsoBefore;
  }

  /**
   * The path cannot segment: no GSO batches until the MTU changes or some time has passed, since
   * other errors look the same. Any thread may call.
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

  /** What all workers have sent. */
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
