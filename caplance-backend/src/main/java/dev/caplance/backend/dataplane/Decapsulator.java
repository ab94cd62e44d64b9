package dev.caplance.backend.dataplane;

import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Unwraps what the load balancers send to the data port, and gives it to the application: take a
 * batch of datagrams, check each, let in what is right.
 *
 * <p>{@link #start} and {@link #stop} are called once, in this order; from {@link #open} on the
 * port is taken. One thread of its own carries the packets; nothing is allocated, locked or logged
 * for a packet.
 */
public final class Decapsulator {

  private static final int BATCH = 256;

  /**
   * Messages of a batch while they hold long runs: more would not stay in the processor's cache.
   */
  private static final int BATCH_OF_RUNS = 8;

  private static final int LONG_RUN = 16_384;
  private static final int LARGEST_DATAGRAM = 65_536;
  private static final int RECEIVE_BUFFER = 16 << 20;

  private final LinuxSocket socket;
  private final boolean joins;
  private final ReceiveBatch batch = ReceiveBatch.ofDatagrams(BATCH, LARGEST_DATAGRAM);
  private final Delivery ipv4;
  private final Delivery ipv6;
  private final Vips vips;
  private final TrafficCounters counters;
  private final ReceiveLoop loop;
  private final IpHeader header = new IpHeader();

  private SanityGate sanity;
  private int longRuns;
  private boolean mostlyLongRuns;
  private volatile AddressSet loadBalancers = AddressSet.EMPTY;
  private volatile AddressSet ownAddresses = AddressSet.EMPTY;

  private Decapsulator(
      LinuxSocket socket,
      Delivery ipv4,
      Delivery ipv6,
      Vips vips,
      TrafficCounters counters,
      Consumer<Throwable> onFailure) {
    this.socket = socket;
    this.joins = socket.joinDatagrams();
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.vips = vips;
    this.counters = counters;
    this.loop = new ReceiveLoop("decapsulator", this::carryBatch, onFailure);
  }

  /**
   * Takes the data port.
   *
   * @param dataAddress and {@code dataPort}: where encapsulated packets come to
   * @param vips the only destinations that are delivered
   * @param joinSegments whether TCP segments are delivered joined
   * @param onFailure told when unwrapping ended although nobody stopped it
   * @throws IOException in words for the operator when the port or the permission is not to be had
   */
  public static Decapsulator open(
      InetAddress dataAddress,
      int dataPort,
      List<InetAddress> vips,
      boolean joinSegments,
      Consumer<Throwable> onFailure)
      throws IOException {
    TrafficCounters counters = new TrafficCounters();
    LinuxSocket socket = LinuxSocket.udp(dataAddress, dataPort);
    Delivery ipv4 = null;
    try {
      socket.setReceiveBuffer(RECEIVE_BUFFER);
      socket.setReceiveTimeout(ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
      ipv4 = Delivery.open(true, BATCH, joinSegments, counters);
      boolean needsIpv6 = !vips.stream().allMatch(IpAddresses::isIpv4);
      Delivery ipv6 = needsIpv6 ? Delivery.open(false, BATCH, joinSegments, counters) : null;
      return new Decapsulator(socket, ipv4, ipv6, new Vips(vips), counters, onFailure);
    } catch (IOException | RuntimeException e) {
      socket.close();
      if (ipv4 != null) {
        ipv4.close();
      }
      throw e;
    }
  }

  /**
   * Begins to unwrap.
   *
   * @param onSanity told of sanity checks
   */
  public void start(SanityListener onSanity) {
    sanity = new SanityGate(onSanity);
    loop.start();
  }

  /** From now on takes packets from these addresses only. Any thread may call. */
  public void acceptFrom(AddressSet addresses) {
    loadBalancers = addresses;
  }

  /** The addresses of this machine, which no packet may come from. Any thread may call. */
  public void refuseSources(AddressSet addresses) {
    ownAddresses = addresses;
  }

  /**
   * Whether this machine refuses IPv4 packets from its own link, so that they have to take the
   * longer way. Any thread may call.
   */
  public void avoidLink(boolean refused) {
    ipv4.setLinkShut(refused);
  }

  /** What this kernel does not offer and is done without, a sentence for each. */
  public List<String> missing() {
    List<String> missing = new ArrayList<>();
    if (!joins) {
      missing.add("the kernel does not join datagrams (UDP_GRO): they are received one by one");
    }
    if (!ipv4.hasLink()) {
      missing.add("no packet sockets (AF_PACKET): packets are delivered through raw sockets");
    }
    return missing;
  }

  /** What has come and what became of it. Any thread may call. */
  public TrafficCounters.Snapshot counters() {
    return counters.snapshot();
  }

  /** Bytes that the thread that unwraps has ever taken from the heap. Any thread may call. */
  public long allocatedBytes() {
    return loop.allocatedBytes();
  }

  /** Ends, once what was received is delivered, and lets go of the port. */
  public void stop() {
    loop.stop();
    socket.close();
    batch.close();
    ipv4.close();
    if (ipv6 != null) {
      ipv6.close();
    }
  }

  private int carryBatch() {
    int received = socket.receive(batch, mostlyLongRuns ? BATCH_OF_RUNS : BATCH);
    longRuns = 0;
    if (received > 0) {
      deliverBatch(received);
    }
    mostlyLongRuns = 2 * longRuns > received;
    return received;
  }

  private void deliverBatch(int received) {
    int datagrams = 0;
    for (int i = 0; i < received; i++) {
      datagrams += deliverMessage(i);
    }
    counters.received(datagrams);
    ipv4.flush();
    if (ipv6 != null) {
      ipv6.flush();
    }
  }

  /** Delivers each of the datagrams that came joined as one message; says how many there were. */
  private int deliverMessage(int index) {
    int size = batch.datagramSize(index);
    longRuns += batch.length(index) >= LONG_RUN ? 1 : 0;
    int offset = batch.offset(index);
    int end = offset + batch.length(index);
    int datagrams = 0;
    do {
      int length = Math.min(size, end - offset);
      Disposition verdict = deliver(index, offset, length);
      if (verdict != Disposition.FORWARD) {
        counters.refused(verdict);
      }
      offset += length;
      datagrams++;
    } while (offset < end);
    return datagrams;
  }

  private Disposition deliver(int index, int offset, int length) {
    ByteBuffer bytes = batch.bytes();
    if (SanityGate.looksLikeOne(bytes, offset, length)) {
      return sanity.pass(batch, index, offset, length);
    }
    if (!loadBalancers.contains(batch.senderHigh(index), batch.senderLow(index))) {
      return Disposition.STRANGER;
    }
    if (batch.truncated(index)) {
      return Disposition.TOO_LARGE;
    }
    Disposition verdict = header.read(bytes, offset, length);
    if (verdict != Disposition.FORWARD) {
      return verdict;
    }
    if (refusesSource(header.sourceHigh(), header.sourceLow())) {
      return Disposition.OWN_SOURCE;
    }
    SocketAddress vip = vips.find(header.destinationHigh(), header.destinationLow());
    if (vip == null) {
      return Disposition.NOT_A_VIP;
    }
    (header.ipv4() ? ipv4 : ipv6).add(header, bytes, offset, batch.address() + offset, length, vip);
    return Disposition.FORWARD;
  }

  private boolean refusesSource(long high, long low) {
    return vips.find(high, low) != null || ownAddresses.contains(high, low);
  }
}
