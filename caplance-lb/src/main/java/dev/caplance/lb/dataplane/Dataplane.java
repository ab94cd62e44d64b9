package dev.caplance.lb.dataplane;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Something that takes packets for the VIPs and sends them to backends. {@link #start} and {@link
 * #stop} are called once, in this order; the other methods may be called by any thread.
 */
public interface Dataplane {

  /**
   * Acquires everything that packets need and begins to forward what reaches it.
   *
   * @throws IOException when something is missing or taken, in words for the operator; nothing is
   *     held then
   */
  void start() throws IOException;

  /**
   * Makes the host direct the packets of these services, and of no others, to this data plane. The
   * services are also those of the tables that are published.
   *
   * @param timeouts after which it forgets flows
   * @throws IOException in words for the operator
   */
  void apply(List<ServiceSpec> services, FlowTimeouts timeouts) throws IOException;

  /**
   * Hands over a new table.
   *
   * @return whether the table stands: from now on no packet is given to a backend that only an
   *     older table knows, except for the packets of the batch that is being sent right now. If
   *     not, the caller publishes again later, and meanwhile confirms nothing that depends on it
   */
  boolean publish(ForwardingTable table);

  /**
   * Looks whether what {@link #apply} did to the host is still there, and puts it back. Called
   * every few seconds by one thread.
   *
   * @throws IOException when that fails, in words for the operator
   */
  void maintain() throws IOException;

  /** What each worker has done since the start. Takes no lock and scans no flows. */
  List<WorkerStatus> status();

  /** What was sent to a target since its backend registered. */
  TargetTraffic traffic(Target target);

  /**
   * Packets for each VIP that were dropped because they belong to no service, as of the last {@link
   * #maintain}; VIPs whose other traffic goes to the host are absent.
   */
  Map<InetAddress, Long> droppedOtherTraffic();

  /** The {@link Target#id} that a known flow has; empty for other flows. */
  OptionalInt targetOf(FlowKey flow);

  /** Undoes {@link #apply} and {@link #start}. Packets already received are sent. */
  void stop();

  /**
   * After how long without a packet a flow is forgotten, in whole seconds.
   *
   * @param tcp of a connection
   * @param udp of a flow of datagrams
   * @param closing of a connection that one side has ended
   */
  record FlowTimeouts(Duration tcp, Duration udp, Duration closing) {}

  /**
   * What was sent to one target.
   *
   * @param bytes of the packets, without the encapsulation
   */
  record TargetTraffic(long packets, long bytes) {

    /** Nothing was sent. */
    public static final TargetTraffic NONE = new TargetTraffic(0, 0);
  }

  /**
   * What one worker has done since it started.
   *
   * @param queue the number of its NFQUEUE
   * @param traffic its packets and what became of them
   * @param verdictMessages in which it settled them with the kernel
   * @param flows that it keeps now
   * @param flowsNotKept how often a flow found no room, once for each of its packets, so that it
   *     went where the table of the moment says
   * @param allocatedBytes that its thread has ever taken from the heap
   */
  record WorkerStatus(
      int queue,
      TrafficCounters.Snapshot traffic,
      long verdictMessages,
      int flows,
      long flowsNotKept,
      long allocatedBytes) {}
}
