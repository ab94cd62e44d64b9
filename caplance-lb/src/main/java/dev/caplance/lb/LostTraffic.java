package dev.caplance.lb;

import dev.caplance.daemon.LossWatch;
import dev.caplance.lb.admin.StatusMethod;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.TrafficCounter;
import java.util.ArrayList;
import java.util.List;

/** Which counts of a data plane stand for traffic that clients lose, for {@link LossWatch}. */
final class LostTraffic {

  /** The others are what no client loses: forged packets, and those whose sender gets a reply. */
  private static final List<Disposition> LOSSES =
      List.of(
          Disposition.TOO_LARGE,
          Disposition.FRAGMENT,
          Disposition.NO_BACKEND,
          Disposition.SEND_FAILED,
          Disposition.ENCAPSULATED);

  private static final List<TrafficCounter> FAILURES =
      List.of(TrafficCounter.RECEIVE_ERRORS, TrafficCounter.VERDICT_ERRORS);

  private LostTraffic() {}

  /** The counts of all workers together. */
  static List<LossWatch.Counter> of(List<Dataplane.WorkerStatus> workers) {
    List<LossWatch.Counter> counters = new ArrayList<>();
    counters.add(
        new LossWatch.Counter(
            StatusMethod.QUEUE_FULL,
            "The kernel had no room for it in the queue: this machine is too slow, or"
                + " queues.length too small.",
            workers.stream().mapToLong(Dataplane.WorkerStatus::queueDropped).sum()));
    counters.add(
        new LossWatch.Counter(
            StatusMethod.QUEUE_UNREAD,
            "The kernel had no room for it in the socket of the queue: this machine is too slow.",
            workers.stream().mapToLong(Dataplane.WorkerStatus::unreadDropped).sum()));
    counters.addAll(
        LossWatch.ofTraffic(
            workers.stream().map(Dataplane.WorkerStatus::traffic).toList(), LOSSES, FAILURES));
    return counters;
  }
}
