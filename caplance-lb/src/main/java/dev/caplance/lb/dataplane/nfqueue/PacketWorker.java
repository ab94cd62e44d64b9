package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.WorkerStatus;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.nfqueue.NfQueue;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Carries the packets of one queue, in batches: take a batch, look up a backend for each packet,
 * send what goes on, and have the kernel drop the originals.
 *
 * <p>One thread runs it and owns everything but the table, which others replace. In {@link
 * #carryBatch} nothing is allocated, locked or logged for a packet; what goes wrong is counted.
 */
final class PacketWorker implements ReceiveLoop.Duty, AutoCloseable {

  private static final int BATCH = 256;

  /**
   * Packets of a batch while the kernel joins them: more would not stay in the processor's cache.
   */
  private static final int BATCH_OF_AGGREGATES = 8;

  /** Packets whose flows are looked up together: as many reads as a processor has under way. */
  private static final int GROUP = 16;

  private static final int WAIT_NANOS = 50_000;

  private static final int GRACE_SECONDS = (int) ForwardingTable.GRACE.toSeconds();

  private final int queueNumber;
  private final NfQueue queue;
  private final TransmitQueues transmitQueues;
  private final Segments segments;
  private final Responder responder;
  private final SizeAdvice sizeAdvice;
  private final Flows flows;
  private final TrafficCounters counters;
  private final SecondsClock clock;
  private final AtomicLong verdictMessages = new AtomicLong();

  /** The packets that are being forwarded, the first {@link #grouped} of them. */
  private final Packet[] group = new Packet[GROUP];

  private int grouped;

  /** What was read in advance: were it not kept, the compiler would not have it read. */
  @SuppressWarnings("UnusedVariable")
  private long prefetched;

  private volatile Routes routes;
  private int now;
  private int aggregates;
  private boolean mostlyAggregates;
  private int segmentsOfBatch;

  private PacketWorker(
      int queueNumber,
      NfQueue queue,
      TransmitQueues transmitQueues,
      Responder responder,
      SizeAdvice sizeAdvice,
      Flows flows,
      TrafficCounters counters,
      SecondsClock clock,
      Routes routes) {
    this.queueNumber = queueNumber;
    this.queue = queue;
    this.transmitQueues = transmitQueues;
    this.segments = new Segments(transmitQueues);
    this.responder = responder;
    this.sizeAdvice = sizeAdvice;
    this.flows = flows;
    this.counters = counters;
    this.clock = clock;
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
   * @throws IOException in words for the operator when that fails; nothing is held then
   */
  static PacketWorker open(
      int number, NfqueueSettings settings, Flows flows, SecondsClock clock, Routes routes)
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
      return new PacketWorker(
          queueNumber,
          queue,
          transmitQueues,
          responder,
          new SizeAdvice(settings.widestMtu()),
          flows,
          counters,
          clock,
          routes);
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

  /** Any thread may call. */
  void publish(Routes newRoutes) {
    routes = newRoutes;
  }

  /** Any thread may call. The allocated bytes are those of the thread that runs the worker. */
  WorkerStatus status(long allocatedBytes) {
    return new WorkerStatus(
        queueNumber,
        counters.snapshot(),
        verdictMessages.get(),
        flows.table().count(),
        flows.table().notKept(),
        allocatedBytes);
  }

  @Override
  public int carryBatch() {
    flows.sweep(clock.seconds());
    int received = queue.receive(mostlyAggregates ? BATCH_OF_AGGREGATES : BATCH);
    aggregates = 0;
    if (received > 0) {
      forwardBatch(received);
      awaitMore(received);
    }
    mostlyAggregates = 2 * aggregates > received;
    return received;
  }

  /**
   * Where packets come in numbers, the next batch is worth waiting for: each wake-up costs more
   * than a packet. A lone packet's successor is not waited for, and after a full batch there is
   * more already. Joined packets were waited for in the kernel.
   */
  private void awaitMore(int received) {
    if (received > 1 && received < BATCH && aggregates == 0) {
      LockSupport.parkNanos(WAIT_NANOS);
    }
  }

  private void forwardBatch(int received) {
    segmentsOfBatch = 0;
    now = clock.seconds();
    Routes current = routes;
    boolean any = false;
    while (readGroup(current.table)) {
      any = true;
      prefetchFlows();
      for (int i = 0; i < grouped; i++) {
        forward(current, group[i]);
      }
    }
    counters.received(received + segmentsOfBatch);
    transmitQueues.flush();
    segments.clear();
    responder.flush();
    if (any) {
      queue.dropBatch();
      verdictMessages.lazySet(verdictMessages.getPlain() + 1);
    }
  }

  /** Reads the headers of the next packets; false when there are no more. */
  private boolean readGroup(ForwardingTable current) {
    grouped = 0;
    boolean any = false;
    while (grouped < GROUP && queue.next()) {
      any = true;
      Packet packet = group[grouped];
      Disposition verdict = packet.read(queue, current);
      if (verdict == Disposition.FORWARD) {
        flows.fingerprint(packet.flow, packet.fingerprint);
        grouped++;
      } else {
        counters.refused(verdict);
      }
      // Errors are queued whatever they are about, and the machine has connections of its own.
      if (verdict == Disposition.LEFT_TO_HOST) {
        queue.accept(packet.ticket());
      }
    }
    return any;
  }

  /** Has the flows of a group read from memory all at once: one after the other takes longer. */
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
    Disposition verdict =
        target == null ? refuse(current.table, packet) : forward(current.state(target), packet);
    if (verdict != Disposition.FORWARD) {
      counters.refused(verdict);
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

  /** Counted as the packets that it is cut into. */
  private Disposition forwardAggregate(TargetState target, Packet packet) {
    aggregates++;
    if (packet.flow.isError()
        || !segments.begin(packet.header, queue.bytes(), packet.offset(), packet.length())) {
      return Disposition.MALFORMED;
    }
    int trafficClass = Encapsulation.outerTrafficClass(packet.header.trafficClass());
    int count = segments.add(packet.address(), target, packet.flowHash(), trafficClass);
    segmentsOfBatch += count - 1;
    return Disposition.FORWARD;
  }

  /** Unbinds the queue. Only when its thread has ended. */
  @Override
  public void close() {
    queue.close();
    transmitQueues.close();
    segments.close();
    responder.close();
    flows.table().close();
  }
}
