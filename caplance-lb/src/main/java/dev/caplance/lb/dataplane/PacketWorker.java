package dev.caplance.lb.dataplane;

import dev.caplance.lb.routing.Endpoint;
import dev.caplance.lb.routing.ForwardingTable;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.nfqueue.NfQueue;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.packet.Verdict;
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

  private static final int WAIT_NANOS = 50_000;

  /** A restart must not reset anybody: the backends have yet to register. */
  private static final int GRACE_SECONDS = 30;

  private final int queueNumber;
  private final NfQueue queue;
  private final Lanes lanes;
  private final Segments segments;
  private final Responder responder;
  private final Flows flows;
  private final TrafficCounters counters;
  private final SecondsClock clock;
  private final AtomicLong verdictMessages = new AtomicLong();
  private final IpHeader header = new IpHeader();
  private final FlowKey flow = new FlowKey();

  private volatile ForwardingTable table;
  private int now;
  private int aggregates;
  private int segmentsOfBatch;

  private PacketWorker(
      int queueNumber,
      NfQueue queue,
      Lanes lanes,
      Responder responder,
      Flows flows,
      TrafficCounters counters,
      SecondsClock clock,
      ForwardingTable table) {
    this.queueNumber = queueNumber;
    this.queue = queue;
    this.lanes = lanes;
    this.segments = new Segments(lanes);
    this.responder = responder;
    this.flows = flows;
    this.counters = counters;
    this.clock = clock;
    this.table = table;
  }

  /**
   * Binds a queue.
   *
   * @param worker its number among the workers, from 0
   * @param queueNumber 0 to 65535
   * @param tcpQueueNumber the queue for TCP
   * @param queueLength packets that the kernel keeps for each
   * @param flows its own
   * @throws IOException in words for the operator when that fails; nothing is held then
   */
  static PacketWorker open(
      int worker,
      int queueNumber,
      int tcpQueueNumber,
      int queueLength,
      Flows flows,
      SecondsClock clock,
      ForwardingTable table)
      throws IOException {
    TrafficCounters counters = new TrafficCounters();
    Lanes lanes = new Lanes(BATCH, worker, counters);
    Responder responder = null;
    try {
      responder = new Responder();
      NfQueue queue =
          NfQueue.open(
              queueNumber, tcpQueueNumber, queueLength, BATCH, ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
      return new PacketWorker(queueNumber, queue, lanes, responder, flows, counters, clock, table);
    } catch (IOException | RuntimeException e) {
      lanes.close();
      if (responder != null) {
        responder.close();
      }
      throw e;
    }
  }

  /** What the kernel does not offer, a sentence for each. */
  List<String> missing() {
    List<String> missing = new ArrayList<>();
    if (!lanes.takesRuns()) {
      missing.add("the kernel cannot cut runs of packets (UDP_SEGMENT): they are sent one by one");
    }
    if (!queue.joins()) {
      missing.add("the kernel does not queue TCP joined (NFQA_CFG_F_GSO): it comes in packets");
    }
    return missing;
  }

  /** Any thread may call. */
  void publish(ForwardingTable newTable) {
    table = newTable;
  }

  /** Any thread may call. The allocated bytes are those of the thread that runs the worker. */
  WorkerStatus status(long allocatedBytes) {
    return new WorkerStatus(
        queueNumber,
        counters.snapshot(),
        verdictMessages.get(),
        flows.table().count(clock.seconds()),
        allocatedBytes);
  }

  @Override
  public int carryBatch() {
    int received = queue.receive(aggregates > 0 ? BATCH_OF_AGGREGATES : BATCH);
    if (received > 0) {
      forwardBatch(received);
      awaitMore(received);
    } else {
      aggregates = 0;
    }
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
    aggregates = 0;
    segmentsOfBatch = 0;
    now = clock.seconds();
    ForwardingTable current = table;
    boolean any = false;
    while (queue.next()) {
      any = true;
      Verdict verdict = forward(current);
      if (verdict != Verdict.FORWARD) {
        counters.refused(verdict);
      }
    }
    counters.received(received + segmentsOfBatch);
    lanes.flush();
    segments.clear();
    responder.flush();
    if (any) {
      queue.dropBatch();
      verdictMessages.lazySet(verdictMessages.getPlain() + 1);
    }
  }

  private Verdict forward(ForwardingTable current) {
    int length = queue.packetLength();
    if (!queue.packetWhole() || length > Encapsulation.MAX_PACKET) {
      return Verdict.TOO_LARGE;
    }
    Verdict verdict = header.read(queue.bytes(), queue.packetOffset(), length);
    if (verdict != Verdict.FORWARD) {
      return verdict;
    }
    if (current.refusesSource(header.sourceHigh(), header.sourceLow())) {
      return Verdict.OWN_SOURCE;
    }
    verdict = flow.read(header, queue.bytes());
    if (verdict != Verdict.FORWARD) {
      return verdict;
    }
    int service = current.service(flow);
    return service < 0 ? leaveToHost() : forward(current, service, length);
  }

  /** Errors are queued whatever they are about, and the machine has connections of its own. */
  private Verdict leaveToHost() {
    queue.acceptPacket();
    return Verdict.LEFT_TO_HOST;
  }

  private Verdict forward(ForwardingTable current, int service, int length) {
    Endpoint endpoint = flows.endpoint(current, service, flow, now);
    if (endpoint == null) {
      if (current.rejectsWhenEmpty(service) && now >= GRACE_SECONDS) {
        responder.nobody(header, flow, queue.bytes(), queue.packetOffset(), length, now);
      }
      return Verdict.NO_BACKEND;
    }
    if (queue.packetAggregate()) {
      return forwardAggregate(endpoint, length);
    }
    if (length > endpoint.maxPacket() && mayBeToldToShrink()) {
      responder.tooBig(
          header, queue.bytes(), queue.packetOffset(), length, endpoint.maxPacket(), now);
      return Verdict.PATH_TOO_NARROW;
    }
    if (!queue.packetChecksumReady() && header.protocol() == IpProtocol.TCP) {
      if (!segments.begin(header, queue.bytes(), queue.packetOffset(), length)) {
        return Verdict.MALFORMED;
      }
      segments.completeChecksum();
    }
    int trafficClass = Encapsulation.outerTrafficClass(header.trafficClass());
    lanes.add(queue.packetAddress(), length, endpoint, flows.way(), trafficClass);
    return Verdict.FORWARD;
  }

  /** Counted as the packets that it is cut into. */
  private Verdict forwardAggregate(Endpoint endpoint, int length) {
    aggregates++;
    if (flow.isError() || !segments.begin(header, queue.bytes(), queue.packetOffset(), length)) {
      return Verdict.MALFORMED;
    }
    int trafficClass = Encapsulation.outerTrafficClass(header.trafficClass());
    int count = segments.add(queue.packetAddress(), endpoint, flows.way(), trafficClass);
    segmentsOfBatch += count - 1;
    return Verdict.FORWARD;
  }

  /**
   * Of an IPv6 datagram nobody can tell whether it came whole or was put together from fragments,
   * whose sender could only make the fragments smaller. Cut on the outside it arrives either way.
   */
  private boolean mayBeToldToShrink() {
    return header.dontFragment()
        && !flow.isError()
        && (header.ipv4() || flow.protocol() == IpProtocol.TCP);
  }

  /** Unbinds the queue. Only when its thread has ended. */
  @Override
  public void close() {
    queue.close();
    lanes.close();
    segments.close();
    responder.close();
    flows.table().close();
  }
}
