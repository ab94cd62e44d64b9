package dev.caplance.lb.dataplane;

import com.sun.management.ThreadMXBean;
import dev.caplance.lb.routing.ForwardingTable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
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
  private final List<Thread> threads = new ArrayList<>();

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
      PacketWorker worker = workers.get(i);
      Thread thread = new Thread(() -> run(worker), "worker-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  private void run(PacketWorker worker) {
    try {
      worker.run();
    } catch (RuntimeException | Error e) {
      onFailure.accept(e);
    }
  }

  @Override
  public synchronized void publish(ForwardingTable newTable) {
    table = newTable;
    workers.forEach(worker -> worker.publish(newTable));
  }

  @Override
  public synchronized List<WorkerStatus> status() {
    ThreadMXBean beans = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    List<WorkerStatus> all = new ArrayList<>();
    for (int i = 0; i < threads.size(); i++) {
      long allocated = beans.getThreadAllocatedBytes(threads.get(i).getId());
      all.add(workers.get(i).status(allocated));
    }
    return all;
  }

  @Override
  public synchronized void stop() {
    workers.forEach(PacketWorker::stop);
    threads.forEach(NfqueueDataplane::join);
    workers.forEach(PacketWorker::close);
    workers.clear();
    threads.clear();
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
