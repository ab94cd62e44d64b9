package dev.caplance.backend.dataplane;

import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.packet.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Unwraps what the load balancers send to the data port, and gives it to the application: take a
 * batch of datagrams, check each, send what is right through a raw socket.
 *
 * <p>{@link #start} and {@link #stop} are called once, in this order; from {@link #open} on the
 * port is taken. One thread of its own carries the packets; nothing is allocated, locked or logged
 * for a packet.
 */
public final class Decapsulator {

  private static final int BATCH = 256;
  private static final int LARGEST_DATAGRAM = 65_536;
  private static final int RECEIVE_TIMEOUT_MILLIS = 200;
  private static final int RECEIVE_BUFFER = 16 << 20;
  private static final long PAUSE_AFTER_FAILURE_NANOS = 10_000_000;

  private final LinuxSocket socket;
  private final ReceiveBatch batch = new ReceiveBatch(BATCH, LARGEST_DATAGRAM);
  private final Delivery ipv4;
  private final Delivery ipv6;
  private final Vips vips;
  private final SanityGate sanity;
  private final TrafficCounters counters;
  private final Consumer<Throwable> onFailure;
  private final Thread thread = new Thread(this::runUntilStopped, "decapsulator");
  private final IpHeader header = new IpHeader();

  private volatile AddressSet loadBalancers = AddressSet.EMPTY;
  private volatile AddressSet ownAddresses = AddressSet.EMPTY;
  private volatile boolean running = true;

  private Decapsulator(
      LinuxSocket socket,
      Delivery ipv4,
      Delivery ipv6,
      Vips vips,
      SanityGate sanity,
      TrafficCounters counters,
      Consumer<Throwable> onFailure) {
    this.socket = socket;
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.vips = vips;
    this.sanity = sanity;
    this.counters = counters;
    this.onFailure = onFailure;
  }

  /**
   * Takes the data port.
   *
   * @param dataAddress and {@code dataPort}: where encapsulated packets come to
   * @param vips the only destinations that are delivered
   * @param onSanity told of sanity checks
   * @param onFailure told when unwrapping ended although nobody stopped it
   * @throws IOException in words for the operator when the port or the permission is not to be had
   */
  public static Decapsulator open(
      InetAddress dataAddress,
      int dataPort,
      List<InetAddress> vips,
      SanityListener onSanity,
      Consumer<Throwable> onFailure)
      throws IOException {
    TrafficCounters counters = new TrafficCounters();
    LinuxSocket socket = LinuxSocket.udp(dataAddress, dataPort);
    Delivery ipv4 = null;
    try {
      socket.setReceiveBuffer(RECEIVE_BUFFER);
      socket.setReceiveTimeout(RECEIVE_TIMEOUT_MILLIS);
      ipv4 = Delivery.ipv4(BATCH, counters);
      boolean needsIpv6 = !vips.stream().allMatch(IpAddresses::isIpv4);
      Delivery ipv6 = needsIpv6 ? Delivery.ipv6(BATCH, counters) : null;
      SanityGate gate = new SanityGate(onSanity);
      return new Decapsulator(socket, ipv4, ipv6, new Vips(vips), gate, counters, onFailure);
    } catch (IOException | RuntimeException e) {
      socket.close();
      if (ipv4 != null) {
        ipv4.close();
      }
      throw e;
    }
  }

  /** Begins to unwrap. */
  public void start() {
    thread.start();
  }

  /** From now on takes packets from these addresses only. Any thread may call. */
  public void acceptFrom(AddressSet addresses) {
    loadBalancers = addresses;
  }

  /** The addresses of this machine, which no packet may come from. Any thread may call. */
  public void refuseSources(AddressSet addresses) {
    ownAddresses = addresses;
  }

  /** What has come and what became of it. Any thread may call. */
  public TrafficCounters.Snapshot counters() {
    return counters.snapshot();
  }

  /** Ends, once what was received is delivered, and lets go of the port. */
  public void stop() {
    running = false;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    socket.close();
    batch.close();
    ipv4.close();
    if (ipv6 != null) {
      ipv6.close();
    }
  }

  private void runUntilStopped() {
    try {
      while (running) {
        int received = socket.receive(batch);
        if (received > 0) {
          deliverBatch(received);
        } else if (received != -Errno.EAGAIN && received != -Errno.EINTR) {
          LockSupport.parkNanos(PAUSE_AFTER_FAILURE_NANOS);
        }
      }
    } catch (RuntimeException | Error e) {
      onFailure.accept(e);
    }
  }

  private void deliverBatch(int received) {
    counters.received(received);
    for (int i = 0; i < received; i++) {
      Verdict verdict = deliver(i);
      if (verdict != Verdict.FORWARD) {
        counters.refused(verdict);
      }
    }
    ipv4.flush();
    if (ipv6 != null) {
      ipv6.flush();
    }
  }

  private Verdict deliver(int index) {
    ByteBuffer bytes = batch.bytes();
    int offset = batch.offset(index);
    int length = batch.length(index);
    if (SanityGate.looksLikeOne(bytes, offset, length)) {
      return sanity.pass(batch, index);
    }
    if (!loadBalancers.contains(batch.senderHigh(index), batch.senderLow(index))) {
      return Verdict.STRANGER;
    }
    if (batch.truncated(index)) {
      return Verdict.TOO_LARGE;
    }
    Verdict verdict = header.read(bytes, offset, length);
    if (verdict != Verdict.FORWARD) {
      return verdict;
    }
    if (refusesSource(header.sourceHigh(), header.sourceLow())) {
      return Verdict.OWN_SOURCE;
    }
    SocketAddress vip = vips.find(header.destinationHigh(), header.destinationLow());
    if (vip == null) {
      return Verdict.NOT_A_VIP;
    }
    (header.ipv4() ? ipv4 : ipv6).add(batch.address() + offset, length, vip);
    return Verdict.FORWARD;
  }

  private boolean refusesSource(long high, long low) {
    return vips.find(high, low) != null || ownAddresses.contains(high, low);
  }
}
