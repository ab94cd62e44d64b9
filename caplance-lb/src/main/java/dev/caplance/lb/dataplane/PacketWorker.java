package dev.caplance.lb.dataplane;

import dev.caplance.lb.routing.Endpoint;
import dev.caplance.lb.routing.ForwardingTable;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.nfqueue.NfQueue;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.packet.Verdict;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Carries the packets of one queue, in batches: take a batch, look up a backend for each packet,
 * send what goes on, and have the kernel drop the originals.
 *
 * <p>One thread runs it and owns everything but the table, which others replace. In {@link
 * #carryBatch} nothing is allocated, locked or logged for a packet; what goes wrong is counted.
 */
final class PacketWorker implements ReceiveLoop.Duty, AutoCloseable {

  private static final int BATCH = 256;

  private final int queueNumber;
  private final NfQueue queue;
  private final Lanes lanes;
  private final TrafficCounters counters;
  private final AtomicLong verdictMessages = new AtomicLong();
  private final IpHeader header = new IpHeader();
  private final FlowKey flow = new FlowKey();

  private volatile ForwardingTable table;

  private PacketWorker(
      int queueNumber,
      NfQueue queue,
      Lanes lanes,
      TrafficCounters counters,
      ForwardingTable table) {
    this.queueNumber = queueNumber;
    this.queue = queue;
    this.lanes = lanes;
    this.counters = counters;
    this.table = table;
  }

  /**
   * Binds a queue.
   *
   * @param worker its number among the workers, from 0
   * @param queueNumber 0 to 65535
   * @param queueLength packets that the kernel keeps for it
   * @throws IOException in words for the operator when that fails; nothing is held then
   */
  static PacketWorker open(int worker, int queueNumber, int queueLength, ForwardingTable table)
      throws IOException {
    TrafficCounters counters = new TrafficCounters();
    Lanes lanes = new Lanes(BATCH, worker, counters);
    try {
      NfQueue queue =
          NfQueue.open(queueNumber, queueLength, BATCH, ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
      return new PacketWorker(queueNumber, queue, lanes, counters, table);
    } catch (IOException | RuntimeException e) {
      lanes.close();
      throw e;
    }
  }

  /** Any thread may call. */
  void publish(ForwardingTable newTable) {
    table = newTable;
  }

  /** Any thread may call. The allocated bytes are those of the thread that runs the worker. */
  WorkerStatus status(long allocatedBytes) {
    return new WorkerStatus(
        queueNumber, counters.snapshot(), verdictMessages.get(), allocatedBytes);
  }

  @Override
  public int carryBatch() {
    int received = queue.receive();
    if (received > 0) {
      forwardBatch(received);
    }
    return received;
  }

  private void forwardBatch(int received) {
    counters.received(received);
    ForwardingTable current = table;
    boolean any = false;
    while (queue.next()) {
      any = true;
      Verdict verdict = forward(current);
      if (verdict != Verdict.FORWARD) {
        counters.refused(verdict);
      }
    }
    lanes.flush();
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
    int service = current.service(flow.destinationHigh(), flow.destinationLow());
    if (service < 0) {
      return Verdict.NOT_A_VIP;
    }
    long hash = current.hash(flow);
    Endpoint endpoint = current.endpoint(service, hash);
    if (endpoint == null) {
      return Verdict.NO_BACKEND;
    }
    int trafficClass = Encapsulation.outerTrafficClass(header.trafficClass());
    lanes.add(queue.packetAddress(), length, endpoint, hash, trafficClass);
    return Verdict.FORWARD;
  }

  /** Unbinds the queue. Only when its thread has ended. */
  @Override
  public void close() {
    queue.close();
    lanes.close();
  }
}
