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
 * Carries the packets of one pair of queues in batches: takes a batch, finds a backend for each
 * packet, sends on what has one, and has the kernel drop the originals.
 *
 * <p>One thread runs it and owns everything but the table, which others replace. In {@link
 * #carryBatch} nothing is allocated, locked or logged for a packet; failures are counted.
 */
final class PacketWorker implements ReceiveLoop.Duty, AutoCloseable {

  private static final int BATCH = 256;

  /** Packets of a batch while most are joined: more would not stay in the processor's cache. */
  private static final int BATCH_OF_AGGREGATES = 8;

  /** Packets whose flows are looked up together: as many reads as a processor has under way. */
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

  /** The packets that are being forwarded, the first {@link #grouped} of them. */
  private final Packet[] group = new Packet[GROUP];

  private int grouped;

  /** What was prefetched: if it were not kept, the compiler would leave the reads out. */
  @SuppressWarnings("UnusedVariable")
  private long prefetched;

  private volatile Routes routes;
  private int now;

  /** Counts of the batch that is being carried. */
  private int packets;

  private int aggregates;
  private int extraSegments;

  /** Whether the kernel has taken a verdict and could have refused it since. */
  private boolean verdictGiven;

  /**
   * What a worker owns and closes.
   *
   * @param counters that the transmit queues count in too
   */
  record Parts(
      PacketSource queue,
      TransmitQueues transmitQueues,
      Responder responder,
      Flows flows,
      TrafficCounters counters) {}

  /** A worker that is not run yet; it closes its parts. */
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
   * Binds a pair of queues.
   *
   * @param number of the worker, from 0
   * @param flows its own, closed with it and when this fails
   * @param owner told of system calls that keep failing
   * @throws IOException in words for the operator when that fails; nothing is held then
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

  /** What the kernel does not offer, a sentence for each. */
  List<String> missing() {
    List<String> missing = new ArrayList<>();
    if (!transmitQueues.supportsGso()) {
      missing.add("the kernel cannot segment UDP (UDP_SEGMENT): packets are sent one by one");
    }
    if (!queue.joins()) {
      missing.add("the kernel does not queue joined TCP (NFQA_CFG_F_GSO): packets come one by one");
    }
    return missing;
  }

  /** Replaces what it forwards by. Any thread may call. */
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
   * Where packets come in numbers, it pays to wait for the next batch: each wake-up costs more than
   * a packet. After a lone packet no other is expected, and after a full batch there are more
   * already. Joined packets have waited in the kernel.
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

  /** The kernel reports a verdict that it refuses before the packets that come after it. */
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

  /** Reads the headers of the next packets; false when there are no more. */
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
      // Errors are queued whatever they are about, and the machine has connections of its own.
      if (disposition == Disposition.LEFT_TO_HOST) {
        failedVerdict(queue.accept(packet.ticket()));
      }
    }
    return packets > before;
  }

  /** Has the flows of a group read from memory at the same time: in turn, it takes longer. */
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

  /** Counts as the segments that it is divided into. */
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

  /** Unbinds the queues. Only once its thread has ended. */
  @Override
  public void close() {
    queue.close();
    transmitQueues.close();
    segments.close();
    responder.close();
    flows.table().close();
  }
}
