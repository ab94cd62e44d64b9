package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.BatchLimit;
import dev.caplance.linux.FailureWatch;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.nfqueue.NfQueue;
import dev.caplance.linux.nfqueue.PacketSource;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.TrafficCounter;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Forwards the packets of one pair of queues in batches: receives a batch, finds a target for each
 * packet, sends on the packets that have one, and makes the kernel drop the originals.
 *
 * <p>One thread runs it and owns everything but the routes, which other threads replace. {@link
 * #carryBatch} allocates, locks and logs nothing per packet; failures are counted.
 */
final class PacketWorker implements ReceiveLoop.Duty, AutoCloseable {

  private static final int BATCH = 256;

  /** Packets per batch while most are merged: more would not stay in the processor's cache. */
  private static final int BATCH_OF_AGGREGATES = 8;

  /** Packets whose flows are looked up together: the reads that a processor keeps in flight. */
  private static final int GROUP = 16;

  private static final int WAIT_NANOS = 50_000;

  private static final int GRACE_SECONDS = (int) ForwardingTable.GRACE.toSeconds();

  private final PacketSource queue;
  private final TransmitQueues transmitQueues;
  private final Segments segments;
  private final Responder responder;
  private final SizeAdvice sizeAdvice;
  private final Flows flows;
  private final TrafficCounters counters;
  private final SecondsClock clock;
  private final BatchLimit limit = new BatchLimit(BATCH, BATCH_OF_AGGREGATES);
  private final FailureWatch receiving;
  private final FailureWatch verdicts;

  /** The packets being forwarded, the first {@link #grouped} of them. */
  private final Packet[] group = new Packet[GROUP];

  private int grouped;

  /** The result of the prefetches: without a use of it, the compiler could omit them. */
  @SuppressWarnings("UnusedVariable")
  private long prefetched;

  private volatile Routes routes;
  private int now;

  /** Counts of the current batch. */
  private int packets;

  private int aggregates;
  private int extraSegments;

  /** Whether a verdict was sent since the queue was last checked for refused ones. */
  private boolean verdictGiven;

  /**
   * What a worker owns and closes.
   *
   * @param counters shared with the transmit queues
   */
  record Parts(
      PacketSource queue,
      TransmitQueues transmitQueues,
      Responder responder,
      Flows flows,
      TrafficCounters counters) {}

  /**
   * Creates a worker, which closes its parts. The owner hears of system calls that keep failing.
   */
  PacketWorker(
      Parts parts,
      SizeAdvice sizeAdvice,
      SecondsClock clock,
      ReceiveLoop.Owner owner,
      Routes routes) {
    this.queue = parts.queue();
    this.transmitQueues = parts.transmitQueues();
    this.segments = new Segments(transmitQueues);
    this.responder = parts.responder();
    this.sizeAdvice = sizeAdvice;
    this.flows = parts.flows();
    this.counters = parts.counters();
    this.clock = clock;
    this.receiving = new FailureWatch("recvmmsg(NFQUEUE)", owner);
    this.verdicts = new FailureWatch("sendto(NFQNL_MSG_VERDICT)", owner);
    this.routes = routes;
    for (int i = 0; i < GROUP; i++) {
      group[i] = new Packet();
    }
  }

  /**
   * Opens a worker on a pair of queues.
   *
   * @param number of the worker, from 0
   * @param flows owned by the worker: closed with it, and if this fails
   * @param owner told about system calls that keep failing
   * @throws IOException if that fails, with a message for the operator; nothing is held then
   */
  static PacketWorker open(
      int number,
      NfqueueDataplane.Settings settings,
      Flows flows,
      SecondsClock clock,
      ReceiveLoop.Owner owner,
      Routes routes)
      throws IOException {
    int queueNumber = settings.firstQueue() + number;
    TrafficCounters counters = new TrafficCounters();
    TransmitQueues transmitQueues = null;
    Responder responder = null;
    try {
      transmitQueues = new TransmitQueues(BATCH, number, counters, clock);
      responder = new Responder();
      NfQueue queue =
          NfQueue.open(
              queueNumber,
              queueNumber + settings.queueCount(),
              settings.queueLength(),
              BATCH,
              ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
      Parts parts = new Parts(queue, transmitQueues, responder, flows, counters);
      return new PacketWorker(parts, new SizeAdvice(settings.widestMtu()), clock, owner, routes);
    } catch (IOException | RuntimeException e) {
      flows.table().close();
      if (transmitQueues != null) {
        transmitQueues.close();
      }
      if (responder != null) {
        responder.close();
      }
      throw e;
    }
  }

  /** The kernel features that are missing, a sentence for each. */
  List<String> missing() {
    List<String> missing = new ArrayList<>();
    if (!transmitQueues.supportsGso()) {
      missing.add("the kernel cannot segment UDP (UDP_SEGMENT): packets are sent one by one");
    }
    if (!queue.joins()) {
      missing.add(
          "the kernel does not queue merged TCP (NFQA_CFG_F_GSO): packets arrive one by one");
    }
    return missing;
  }

  /** Replaces the routes, from the next batch on. Any thread may call. */
  void publish(Routes newRoutes) {
    routes = newRoutes;
  }

  /** Any thread may call. The allocated bytes are those of the thread that runs the worker. */
  Dataplane.WorkerStatus status(long allocatedBytes) {
    TrafficCounters.Snapshot traffic = counters.snapshot();
    return new Dataplane.WorkerStatus(
        queue.number(),
        traffic,
        traffic.of(TrafficCounter.VERDICTS),
        flows.table().count(),
        flows.table().notKept(),
        allocatedBytes);
  }

  @Override
  public int carryBatch() {
    packets = 0;
    aggregates = 0;
    flows.sweep(clock.seconds());
    int received = queue.receive(limit.next());
    if (receiving.failed(received)) {
      counters.add(TrafficCounter.RECEIVE_ERRORS, 1);
    }
    if (received > 0) {
      forwardBatch();
      awaitMore();
    }
    limit.carried(packets, aggregates);
    return Math.max(received, 0);
  }

  /**
   * Waits for more packets after a batch of several, because each wake-up costs more than a packet.
   * After a single packet no others are expected, after a full batch more are waiting already, and
   * merged packets have waited in the kernel.
   */
  private void awaitMore() {
    if (packets > 1 && packets < BATCH && aggregates == 0) {
      LockSupport.parkNanos(WAIT_NANOS);
    }
  }

  private void forwardBatch() {
    extraSegments = 0;
    now = clock.seconds();
    Routes current = routes;
    while (readGroup(current.table)) {
      prefetchFlows();
      for (int i = 0; i < grouped; i++) {
        forward(current, group[i]);
      }
    }
    checkLastVerdict();
    if (packets > 0) {
      counters.received(packets + extraSegments);
      transmitQueues.flush();
      segments.clear();
      responder.flush();
      counters.add(TrafficCounter.VERDICTS, 1);
      verdictGiven = !failedVerdict(queue.dropBatch());
    }
  }

  /** Counts refused verdicts, which the kernel reports before the packets that follow them. */
  private void checkLastVerdict() {
    int refused = queue.refusedVerdicts();
    if (refused > 0) {
      counters.add(TrafficCounter.VERDICT_ERRORS, refused);
      verdicts.failed(-queue.refusalErrno());
    } else if (verdictGiven) {
      verdicts.failed(0);
    }
    verdictGiven = false;
  }

  private boolean failedVerdict(int result) {
    boolean failed = result < 0 && verdicts.failed(result);
    if (failed) {
      counters.add(TrafficCounter.VERDICT_ERRORS, 1);
    }
    return failed;
  }

  /** Reads the headers of the next packets; returns false if there are no more. */
  private boolean readGroup(ForwardingTable current) {
    grouped = 0;
    int before = packets;
    while (grouped < GROUP && queue.next()) {
      packets++;
      Packet packet = group[grouped];
      Disposition disposition = packet.read(queue, current);
      if (disposition == Disposition.FORWARD) {
        flows.fingerprint(packet.flow, packet.fingerprint);
        grouped++;
      } else {
        counters.refused(disposition);
      }
      // All ICMP errors are queued, also those about the machine's own connections.
      if (disposition == Disposition.LEFT_TO_HOST) {
        failedVerdict(queue.accept(packet.ticket()));
      }
    }
    return packets > before;
  }

  /** Prefetches the flows of a group together: one after another would take longer. */
  private void prefetchFlows() {
    long read = 0;
    for (int i = 0; i < grouped; i++) {
      read ^= flows.prefetch(group[i].fingerprint);
    }
    prefetched = read;
  }

  private void forward(Routes current, Packet packet) {
    Target target =
        flows.target(current.table, packet.service(), packet.flow, packet.fingerprint, now);
    Disposition disposition =
        target == null ? refuse(current.table, packet) : forward(current.state(target), packet);
    if (disposition != Disposition.FORWARD) {
      counters.refused(disposition);
    }
  }

  private Disposition refuse(ForwardingTable current, Packet packet) {
    if (current.rejectsWhenEmpty(packet.service()) && now >= GRACE_SECONDS) {
      responder.unreachable(
          packet.header, packet.flow, queue.bytes(), packet.offset(), packet.length());
    }
    return Disposition.NO_BACKEND;
  }

  private Disposition forward(TargetState target, Packet packet) {
    if (packet.aggregate()) {
      return forwardAggregate(target, packet);
    }
    int length = packet.length();
    int maxPacket = target.maxPacket();
    if (sizeAdvice.isDue(packet.header, packet.flow, length, maxPacket)) {
      responder.tooBig(packet.header, queue.bytes(), packet.offset(), length, maxPacket);
      return Disposition.PATH_TOO_NARROW;
    }
    if (!packet.checksumReady() && packet.header.protocol() == IpProtocol.TCP) {
      if (!segments.begin(packet.header, queue.bytes(), packet.offset(), length)) {
        return Disposition.MALFORMED;
      }
      segments.completeChecksum();
    }
    int trafficClass = Encapsulation.outerTrafficClass(packet.header.trafficClass());
    transmitQueues.add(packet.datagram, target, packet.flowHash(), trafficClass);
    return Disposition.FORWARD;
  }

  /** Forwards a merged packet as segments, each of which counts as a packet. */
  private Disposition forwardAggregate(TargetState target, Packet packet) {
    aggregates++;
    if (packet.flow.isError()
        || !segments.begin(packet.header, queue.bytes(), packet.offset(), packet.length())) {
      return Disposition.MALFORMED;
    }
    int trafficClass = Encapsulation.outerTrafficClass(packet.header.trafficClass());
    int count = segments.add(packet.address(), target, packet.flowHash(), trafficClass);
    extraSegments += count - 1;
    return Disposition.FORWARD;
  }

  /** Unbinds the queues and frees all memory. Called once the thread has ended. */
  @Override
  public void close() {
    queue.close();
    transmitQueues.close();
    segments.close();
    responder.close();
    flows.table().close();
  }
}
