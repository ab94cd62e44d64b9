package dev.caplance.backend.dataplane;

import dev.caplance.linux.BatchLimit;
import dev.caplance.linux.FailureWatch;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TrafficCounter;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Unwraps what the load balancers send to the data port and delivers it to the application: it
 * takes a batch of datagrams, checks each, and delivers those that pass.
 *
 * <p>{@link #start} and {@link #stop} are called once, in this order; the port is bound from {@link
 * #open} on. A thread of its own carries the packets; nothing is allocated, locked or logged for a
 * packet. Owns the socket, the batch and both deliveries.
 */
public final class Decapsulator {

  private static final int BATCH = 256;

  /** Messages of a batch while most are large: more would not stay in the processor's cache. */
  private static final int BATCH_OF_LARGE = 8;

  /** Bytes from which a message, a GRO batch, is large. */
  private static final int LARGE = 16_384;

  private static final int LARGEST_DATAGRAM = 65_536;
  private static final int RECEIVE_BUFFER = 16 << 20;

  private final LinuxSocket socket;
  private final DataPort dataPort;
  private final boolean gro;
  private final ReceiveBatch batch = ReceiveBatch.ofDatagrams(BATCH, LARGEST_DATAGRAM);
  private final Delivery ipv4;
  private final Delivery ipv6;
  private final Vips vips;
  private final TrafficCounters counters;
  private final ReceiveLoop loop;
  private final BatchLimit limit = new BatchLimit(BATCH, BATCH_OF_LARGE);
  private final FailureWatch receiving;
  private final IpHeader header = new IpHeader();
  private final UdpFlows udpFlows = new UdpFlows(System.nanoTime());

  private final PathProbeGate pathProbes = new PathProbeGate();
  private final PathProbeReplies probeReplies;
  private int large;
  private boolean linkRefused;
  private boolean vipMissing;
  private volatile AddressSet loadBalancers = AddressSet.EMPTY;
  private volatile AddressSet expected = AddressSet.EMPTY;
  private volatile AddressSet ownAddresses = AddressSet.EMPTY;

  /**
   * Takes over a socket and deliveries.
   *
   * @param ipv6 null when neither a VIP nor the data address needs it
   */
  Decapsulator(
      LinuxSocket socket,
      DataPort dataPort,
      Delivery ipv4,
      Delivery ipv6,
      Vips vips,
      TrafficCounters counters,
      ReceiveLoop.Owner owner) {
    this.socket = socket;
    this.dataPort = dataPort;
    this.probeReplies = new PathProbeReplies(socket);
    this.gro = socket.enableGro();
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.vips = vips;
    this.counters = counters;
    this.receiving = new FailureWatch("recvmmsg(UDP)", owner);
    this.loop = new ReceiveLoop("decapsulator", this::carryBatch, owner);
  }

  /**
   * Binds the data port.
   *
   * @param dataAddress and {@code dataPort}: where encapsulated packets arrive
   * @param vips the only destinations to which packets are delivered
   * @param joinSegments whether TCP segments are joined before they are delivered
   * @param owner answers for the thread that unwraps
   * @throws IOException in words for the operator when the port is taken or permission is lacking
   */
  public static Decapsulator open(
      InetAddress dataAddress,
      int dataPort,
      List<InetAddress> vips,
      boolean joinSegments,
      ReceiveLoop.Owner owner)
      throws IOException {
    TrafficCounters counters = new TrafficCounters();
    LinuxSocket socket = LinuxSocket.udp(dataAddress, dataPort);
    Delivery ipv4 = null;
    try {
      socket.setReceiveBuffer(RECEIVE_BUFFER);
      socket.setReceiveTimeout(ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
      ipv4 = Delivery.open(true, BATCH, joinSegments, counters);
      DataPort port = new DataPort(dataAddress, dataPort);
      boolean needsIpv6 = port.address().ipv6() || !vips.stream().allMatch(IpAddresses::isIpv4);
      Delivery ipv6 = needsIpv6 ? Delivery.open(false, BATCH, joinSegments, counters) : null;
      return new Decapsulator(socket, port, ipv4, ipv6, new Vips(vips), counters, owner);
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
   * @param onPathProbe receives the path probes of registrations, whole
   * @param onProbe receives the tokens of path probes that were delivered and are answered
   */
  public void start(PathProbeListener onPathProbe, PathProbeListener onProbe) {
    pathProbes.passTo(onPathProbe);
    probeReplies.tell(onProbe);
    loop.start();
  }

  /**
   * Sets the addresses that path probes of registrations are expected from: what strangers send
   * does not keep these from getting through. Any thread may call.
   */
  public void expectRegistrationsFrom(AddressSet addresses) {
    expected = addresses;
    pathProbes.know(expected.and(loadBalancers));
  }

  /** Accepts packets from these addresses only, from now on. Any thread may call. */
  public void acceptFrom(AddressSet addresses) {
    loadBalancers = addresses;
    probeReplies.know(addresses);
    pathProbes.know(expected.and(addresses));
  }

  /**
   * Sets the addresses of this machine, which no packet may come from. While a VIP is not among
   * them, packets are delivered through the raw socket alone: those on the link of {@code lo} would
   * be forwarded. By one thread.
   */
  public void refuseSources(AddressSet addresses) {
    ownAddresses = addresses;
    vipMissing = !vips.allIn(addresses);
    shutLinks();
  }

  /**
   * Sets whether {@code rp_filter} drops IPv4 packets on the link of {@code lo}, so that they must
   * be delivered through a raw socket. By the thread that calls {@link #refuseSources}.
   */
  public void avoidLink(boolean refused) {
    linkRefused = refused;
    shutLinks();
  }

  private void shutLinks() {
    ipv4.setLinkShut(linkRefused || vipMissing);
    if (ipv6 != null) {
      ipv6.setLinkShut(vipMissing);
    }
  }

  /** What this kernel does not offer and how packets are carried without it, a sentence each. */
  public List<String> missing() {
    List<String> missing = new ArrayList<>();
    if (!gro) {
      missing.add("the kernel does not join UDP (UDP_GRO): packets are received one by one");
    }
    if (!ipv4.hasLink()) {
      missing.add("no packet sockets (AF_PACKET): packets are delivered through raw sockets");
    }
    return missing;
  }

  /** How many packets came, and what became of them. Any thread may call. */
  public TrafficCounters.Snapshot counters() {
    return counters.snapshot();
  }

  /**
   * Whether path probes can be delivered here. Without packet sockets IPv6 ones cannot: raw sockets
   * reach addresses on {@code lo} only.
   */
  public boolean answersProbes() {
    return !dataPort.address().ipv6() || ipv6.hasLink();
  }

  /** How many path probes were delivered and answered. Any thread may call. */
  public long answeredProbes() {
    return probeReplies.answered();
  }

  /** The UDP flows whose packets were delivered lately. Any thread may call. */
  public UdpFlows udpFlows() {
    return udpFlows;
  }

  /** Bytes that the unwrapping thread has allocated since its start. Any thread may call. */
  public long allocatedBytes() {
    return loop.allocatedBytes();
  }

  /** Ends once what was received is delivered, and releases the port. */
  public void stop() {
    loop.stop();
    socket.close();
    batch.close();
    probeReplies.close();
    ipv4.close();
    if (ipv6 != null) {
      ipv6.close();
    }
  }

  private int carryBatch() {
    large = 0;
    int received = socket.receive(batch, limit.next());
    if (receiving.failed(received)) {
      counters.add(TrafficCounter.RECEIVE_ERRORS, 1);
    }
    int messages = Math.max(received, 0);
    if (messages > 0) {
      deliverBatch(messages);
    }
    limit.carried(messages, large);
    return messages;
  }

  private void deliverBatch(int received) {
    int datagrams = 0;
    udpFlows.beginBatch(System.nanoTime());
    for (int i = 0; i < received; i++) {
      datagrams += deliverMessage(i);
    }
    counters.received(datagrams);
    ipv4.flush();
    if (ipv6 != null) {
      ipv6.flush();
    }
  }

  /** Delivers each datagram of a message, which may be a GRO batch; returns how many there are. */
  private int deliverMessage(int index) {
    int size = batch.datagramSize(index);
    large += batch.length(index) >= LARGE ? 1 : 0;
    int offset = batch.offset(index);
    int end = offset + batch.length(index);
    int datagrams = 0;
    do {
      int length = Math.min(size, end - offset);
      Disposition disposition = deliver(index, offset, length);
      if (disposition != Disposition.FORWARD) {
        counters.refused(disposition);
      }
      offset += length;
      datagrams++;
    } while (offset < end);
    return datagrams;
  }

  private Disposition deliver(int index, int offset, int length) {
    ByteBuffer bytes = batch.bytes();
    if (PathProbeGate.isProbe(bytes, offset, length)) {
      return pathProbes.pass(batch, index, offset, length);
    }
    if (!loadBalancers.contains(batch.senderHigh(index), batch.senderLow(index))) {
      return Disposition.STRANGER;
    }
    if (PathProbeReplies.isProbe(bytes, offset, length)) {
      return probeReplies.answer(batch, index, offset, length);
    }
    if (batch.truncated(index)) {
      return Disposition.TOO_LARGE;
    }
    Disposition disposition = header.read(bytes, offset, length);
    if (disposition != Disposition.FORWARD) {
      return disposition;
    }
    if (refusesSource(header.sourceHigh(), header.sourceLow())) {
      return Disposition.OWN_SOURCE;
    }
    Delivery delivery = header.ipv4() ? ipv4 : ipv6;
    SocketAddress vip = vips.find(header.destinationHigh(), header.destinationLow());
    if (vip == null) {
      if (!dataPort.takes(header, bytes, batch.senderHigh(index), batch.senderLow(index))) {
        return Disposition.NOT_A_VIP;
      }
      delivery.deliverProbe(header, offset, length, batch.address(), dataPort.address());
      return Disposition.FORWARD;
    }
    udpFlows.saw(header, bytes);
    delivery.add(header, bytes, offset, length, batch.address(), vip);
    return Disposition.FORWARD;
  }

  private boolean refusesSource(long high, long low) {
    return vips.find(high, low) != null || ownAddresses.contains(high, low);
  }

  /** Receives what belongs to path probes, for the sessions. */
  public interface PathProbeListener {

    /**
     * Called by the thread that decapsulates; must return at once.
     *
     * @param sender the address that it came from
     * @param text of the datagram, not checked further, or the token of a probe
     */
    void received(InetAddress sender, String text);
  }
}
