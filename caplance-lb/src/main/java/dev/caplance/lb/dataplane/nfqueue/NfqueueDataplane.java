package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.dataplane.WorkerStatus;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A data plane on NFQUEUE: one {@link PacketWorker} and one thread for each queue. */
public final class NfqueueDataplane implements Dataplane {

  private final int firstQueue;
  private final int queueCount;
  private final int queueLength;
  private final int widestMtu;
  private final int flowsPerWorker;
  private final FlowTimeouts timeouts;
  private final ReceiveLoop.Owner owner;
  private final SecondsClock clock = new SecondsClock();
  private final FlowHash fingerprints = randomHash();
  private final List<PacketWorker> workers = new ArrayList<>();
  private final List<Flows> allFlows = new ArrayList<>();
  private final List<ReceiveLoop> loops = new ArrayList<>();

  private volatile ForwardingTable table;

  /**
   * A data plane that is not started.
   *
   * @param firstQueue number of the first queue; the others follow it, then as many for TCP
   * @param queueCount pairs of queues, and hence workers, at least 1
   * @param queueLength packets that the kernel keeps for each
   * @param widestMtu bytes of the largest packet that can come to this machine in one piece
   * @param flowsPerWorker how many flows each worker keeps at most
   * @param timeouts after which it forgets them
   * @param table the first table
   * @param owner answers for the workers
   */
  public NfqueueDataplane(
      int firstQueue,
      int queueCount,
      int queueLength,
      int widestMtu,
      int flowsPerWorker,
      FlowTimeouts timeouts,
      ForwardingTable table,
      ReceiveLoop.Owner owner) {
    this.firstQueue = firstQueue;
    this.queueCount = queueCount;
    this.queueLength = queueLength;
    this.widestMtu = widestMtu;
    this.flowsPerWorker = flowsPerWorker;
    this.timeouts = timeouts;
    this.table = table;
    this.owner = owner;
  }

  private static FlowHash randomHash() {
    byte[] key = new byte[FlowHash.KEY_LENGTH];
    new SecureRandom().nextBytes(key);
    return new FlowHash(key);
  }

  @Override
  public synchronized void start() throws IOException {
    try {
      for (int i = 0; i < queueCount; i++) {
        Flows flows = new Flows(fingerprints, new FlowTable(flowsPerWorker, timeouts));
        int queue = firstQueue + i;
        PacketWorker.Queues queues =
            new PacketWorker.Queues(i, queue, queue + queueCount, queueLength);
        workers.add(
            PacketWorker.open(queues, new SizeAdvice(widestMtu), flows, clock, owner, table));
        allFlows.add(flows);
      }
    } catch (IOException | RuntimeException e) {
      stop();
      throw e;
    }
    FlowTable[] tables = allFlows.stream().map(Flows::table).toArray(FlowTable[]::new);
    allFlows.forEach(flows -> flows.setTables(tables));
    for (int i = 0; i < queueCount; i++) {
      loops.add(new ReceiveLoop("worker-" + i, workers.get(i), owner));
    }
    loops.forEach(ReceiveLoop::start);
  }

  /** What this kernel does not offer and is done without, a sentence for each; once started. */
  public synchronized List<String> missing() {
    return workers.get(0).missing();
  }

  @Override
  public synchronized void publish(ForwardingTable newTable) {
    table = newTable;
    workers.forEach(worker -> worker.publish(newTable));
  }

  @Override
  public synchronized List<WorkerStatus> status() {
    List<WorkerStatus> all = new ArrayList<>();
    for (int i = 0; i < loops.size(); i++) {
      all.add(workers.get(i).status(loops.get(i).allocatedBytes()));
    }
    return all;
  }

  @Override
  public synchronized OptionalInt endpointOf(FlowKey flow) {
    Fingerprint fingerprint = new Fingerprint();
    fingerprints.of(flow, fingerprint);
    for (Flows flows : allFlows) {
      int entry = flows.table().find(fingerprint, clock.seconds());
      if (entry != FlowTable.NONE) {
        return OptionalInt.of(flows.table().endpoint(entry));
      }
    }
    return OptionalInt.empty();
  }

  @Override
  public synchronized void stop() {
    loops.forEach(ReceiveLoop::stop);
    workers.forEach(PacketWorker::close);
    loops.clear();
    workers.clear();
    allFlows.clear();
  }
}
