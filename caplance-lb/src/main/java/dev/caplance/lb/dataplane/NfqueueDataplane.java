package dev.caplance.lb.dataplane;

import dev.caplance.lb.routing.ForwardingTable;
import dev.caplance.linux.ReceiveLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A data plane on NFQUEUE: one {@link PacketWorker} and one thread for each queue. */
public final class NfqueueDataplane implements Dataplane {

  private final int firstQueue;
  private final int queueCount;
  private final int queueLength;
  private final Consumer<Throwable> onFailure;
  private final List<PacketWorker> workers = new ArrayList<>();
  private final List<ReceiveLoop> loops = new ArrayList<>();

  private volatile ForwardingTable table;

  /**
   * A data plane that is not started.
   *
   * @param firstQueue number of the first queue; the others follow it
   * @param queueCount queues, and hence workers, at least 1
   * @param queueLength packets that the kernel keeps for each
   * @param table the first table
   * @param onFailure told when a worker ended although nobody stopped it, by that worker's thread
   */
  public NfqueueDataplane(
      int firstQueue,
      int queueCount,
      int queueLength,
      ForwardingTable table,
      Consumer<Throwable> onFailure) {
    this.firstQueue = firstQueue;
    this.queueCount = queueCount;
    this.queueLength = queueLength;
    this.table = table;
    this.onFailure = onFailure;
  }

  @Override
  public synchronized void start() throws IOException {
    try {
      for (int i = 0; i < queueCount; i++) {
        workers.add(PacketWorker.open(i, firstQueue + i, queueLength, table));
      }
    } catch (IOException | RuntimeException e) {
      stop();
      throw e;
    }
    for (int i = 0; i < queueCount; i++) {
      loops.add(new ReceiveLoop("worker-" + i, workers.get(i), onFailure));
    }
    loops.forEach(ReceiveLoop::start);
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
  public synchronized void stop() {
    loops.forEach(ReceiveLoop::stop);
    workers.forEach(PacketWorker::close);
    loops.clear();
    workers.clear();
  }
}
