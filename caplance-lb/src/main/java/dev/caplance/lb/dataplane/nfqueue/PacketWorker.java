package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.BatchLimit;
import dev.caplance.linux.FailureWatch;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.nfqueue.NfQueue;
import dev.caplance.linux.nfqueue.PacketSource;
import dev.caplance.linux.nfqueue.QueueDrops;
import dev.caplance.packet.Disposition;
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
  private final PacketForwarder forwarder;
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

  /** Whether a verdict was sent since the queue was last checked for refused ones. */
  private boolean verdictGiven;

  /**
   * What a worker owns and closes.
   *
   * @param counters shared with the forwarder
   */
  record Parts(
      PacketSource queue, PacketForwarder forwarder, Flows flows, TrafficCounters counters) {}

  /**
   * Creates a worker, which closes its parts. The owner hears of system calls that keep failing.
   *
   * @param dataPort the UDP port of backends
   */
  PacketWorker(
      Parts parts, int dataPort, SecondsClock clock, ReceiveLoop.Owner owner, Routes routes) {
    this.queue = parts.queue();
    this.forwarder = parts.forwarder();
    this.flows = parts.flows();
    this.counters = parts.counters();
    this.clock = clock;
    this.receiving = new FailureWatch("recvmmsg(NFQUEUE)", owner);
    this.verdicts = new FailureWatch("sendto(NFQNL_MSG_VERDICT)", owner);
    this.routes = routes;
    for (int i = 0; i < GROUP; i++) {
      group[i] = new Packet(dataPort);
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
    PacketForwarder forwarder = null;
    try {
      forwarder = PacketForwarder.open(number, BATCH, settings, counters, clock);
      NfQueue queue =
          NfQueue.open(
              queueNumber,
              queueNumber + settings.queueCount(),
              settings.queueLength(),
              BATCH,
              ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
      Parts parts = new Parts(queue, forwarder, flows, counters);
      return new PacketWorker(parts, settings.dataPort(), clock, owner, routes);
    } catch (IOException | RuntimeException e) {
      flows.table().close();
      if (forwarder != null) {
        forwarder.close();
      }
      throw e;
    }
  }

  /** The kernel features that are missing, a sentence for each. */
  List<String> missing() {
    List<String> missing = new ArrayList<>();
    if (!forwarder.supportsGso()) {
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

  /**
   * Any thread may call.
   *
   * @param allocatedBytes those of the thread that runs the worker
   * @param drops at its two queues
   */
  Dataplane.WorkerStatus status(long allocatedBytes, QueueDrops drops) {
    TrafficCounters.Snapshot traffic = counters.snapshot();
    return new Dataplane.WorkerStatus(
        queue.number(),
        traffic,
        traffic.of(TrafficCounter.VERDICTS),
        flows.table().count(),
        flows.table().notKept(),
        allocatedBytes,
        drops.full(),
        drops.unread());
  }

  @Override
  public int carryBatch() {
    packets = 0;
    aggregates = 0;
    int received = queue.receive(limit.next());
    if (receiving.failed(received)) {
      counters.add(TrafficCounter.RECEIVE_ERRORS, 1);
    }
    now = clock.seconds();
    flows.sweep(now);
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
    Routes current = routes;
    while (readGroup(current.table)) {
      prefetchFlows();
      for (int i = 0; i < grouped; i++) {
        forward(current, group[i]);
      }
    }
    checkLastVerdict();
    if (packets > 0) {
      counters.received(packets + forwarder.extraSegments());
      forwarder.flush();
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
        flows.fingerprint(current, packet.service(), packet.flow, packet.fingerprint);
        grouped++;
      } else if (disposition != Disposition.LEFT_TO_HOST || accept(packet)) {
        counters.refused(disposition);
      }
    }
    return packets > before;
  }

  /**
   * Leaves a packet to the machine. All ICMP errors are queued, also those about the machine's own
   * connections.
   */
  private boolean accept(Packet packet) {
    return !failedVerdict(queue.accept(packet.ticket()));
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
    if (packet.aggregate()) {
      aggregates++;
    }
    Target target =
        flows.target(current.table, packet.service(), packet.flow, packet.fingerprint, now);
    Disposition disposition =
        target == null
            ? refuse(current.table, packet)
            : forwarder.forward(current.state(target), packet, queue.bytes());
    if (disposition != Disposition.FORWARD) {
      counters.refused(disposition);
    }
  }

  /** While backends are awaited, a connection may be that of one which is about to return. */
  private Disposition refuse(ForwardingTable current, Packet packet) {
    boolean mayReturn = packet.flow.isWithinConnection() && current.awaitsBackends();
    if (current.rejectsWhenEmpty(packet.service()) && now >= GRACE_SECONDS && !mayReturn) {
      forwarder.refuse(packet, queue.bytes());
    }
    return Disposition.NO_BACKEND;
  }

  /** Unbinds the queues and frees all memory. Called once the thread has ended. */
  @Override
  public void close() {
    queue.close();
    forwarder.close();
    flows.table().close();
  }
}
