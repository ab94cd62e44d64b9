package dev.caplance.lb.forwarding;

import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Where the encapsulated packets of one registered backend go, and how many went there. It lives as
 * long as the registration, through all tables. Each worker counts in cells of its own, so that
 * counting needs no lock; any thread may read.
 */
public final class Endpoint {

  /** Cells of a worker: a cache line, so that workers do not disturb each other. */
  private static final int STRIDE = 8;

  private static final int SECONDS_WITHOUT_RUNS = 30;

  private static final int PACKETS = 0;
  private static final int BYTES = 1;

  private static final AtomicInteger COUNT = new AtomicInteger();

  private final int id = COUNT.incrementAndGet();
  private final InetAddress address;
  private final SocketAddress target;
  private final AtomicLongArray cells;
  private final int overhead;
  private volatile int maxPacket;
  private volatile int noRunsBefore;

  /**
   * An endpoint that nothing went to yet.
   *
   * @param dataAddress of the backend
   * @param dataPort UDP, 1 to 65535
   * @param workers how many workers will count
   * @param mtu bytes of the largest outer packet on the way there
   */
  public Endpoint(InetAddress dataAddress, int dataPort, int workers, int mtu) {
    this.address = dataAddress;
    this.target = SocketAddress.of(dataAddress, dataPort);
    this.cells = new AtomicLongArray(workers * STRIDE);
    this.overhead = Encapsulation.overhead(IpAddresses.isIpv4(dataAddress));
    this.maxPacket = mtu - overhead;
  }

  /** Bytes of the largest outer packet on the way there. */
  public int mtu() {
    return maxPacket + overhead;
  }

  /** The way there has changed. Any thread may call. */
  public void setMtu(int mtu) {
    maxPacket = mtu - overhead;
    noRunsBefore = 0;
  }

  /** A number that no other endpoint has had since the start of the process. */
  public int id() {
    return id;
  }

  /** Bytes of the largest packet that gets there without being fragmented on the way. */
  public int maxPacket() {
    return maxPacket;
  }

  /** The data address. */
  public InetAddress address() {
    return address;
  }

  /** The data address and port as the kernel takes them. */
  public SocketAddress target() {
    return target;
  }

  /**
   * Whether packets may go there as runs (see {@link dev.caplance.linux.SendBatch}).
   *
   * @param now in seconds, on the clock of those who call {@link #refuseRuns}
   */
  public boolean takesRuns(int now) {
    return now >= noRunsBefore;
  }

  /**
   * The way there cannot cut runs: none until it changes or some time has passed, since other
   * troubles look the same. Any thread may call.
   */
  public void refuseRuns(int now) {
    noRunsBefore = now + SECONDS_WITHOUT_RUNS;
  }

  /**
   * Counts packets that went out. Only the worker of this number may call.
   *
   * @param bytes of the packets, without the encapsulation
   */
  public void count(int worker, int packets, int bytes) {
    int cell = worker * STRIDE;
    cells.lazySet(cell + PACKETS, cells.getPlain(cell + PACKETS) + packets);
    cells.lazySet(cell + BYTES, cells.getPlain(cell + BYTES) + bytes);
  }

  /** Packets sent to it. */
  public long packets() {
    return sum(PACKETS);
  }

  /** Bytes of these packets, without the encapsulation. */
  public long bytes() {
    return sum(BYTES);
  }

  private long sum(int cell) {
    long sum = 0;
    for (int i = cell; i < cells.length(); i += STRIDE) {
      sum += cells.get(i);
    }
    return sum;
  }
}
