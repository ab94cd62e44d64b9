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
 * Takes packets for the VIPs and forwards them to backends. {@link #start} and {@link #stop} are
 * called once each, in this order; any thread may call the other methods.
 */
public interface Dataplane {

  /**
   * Acquires all resources and starts to forward the packets that arrive.
   *
   * @throws IOException if a resource is missing or in use, with a message for the operator;
   *     nothing is held then
   */
  void start() throws IOException;

  /**
   * Makes the host direct the packets of these services, and of no others, to this data plane. The
   * tables that are published have the same services.
   *
   * @param timeouts idle times of flows
   * @throws IOException with a message for the operator
   */
  void apply(List<ServiceSpec> services, FlowTimeouts timeouts) throws IOException;

  /**
   * Publishes a new table.
   *
   * @return whether the table is in effect: from now on, no packet goes to a backend that only
   *     older tables have, except for packets of batches that are being sent at this moment. If
   *     false, the caller publishes again later and confirms nothing that depends on the table
   *     until then
   */
  boolean publish(ForwardingTable table);

  /**
   * Sends a path probe the way the target's packets go: encapsulated, from {@link Target#source},
   * and never in fragments. See {@link dev.caplance.packet.PathProbe}.
   *
   * @param token {@code [A-Za-z0-9_-]{1,128}}
   * @param padded whether the outer packet is as large as {@link Target#mtu} allows, or as small as
   *     possible
   * @return whether the kernel took it
   */
  boolean probe(Target target, String token, boolean padded);

  /** Sets who hears of the replies to path probes. Called before {@link #start}. */
  void onProbeReply(ProbeListener listener);

  /**
   * Restores what {@link #apply} did to the host if something has undone it. Called every few
   * seconds by one thread.
   *
   * @throws IOException if that fails, with a message for the operator
   */
  void maintain() throws IOException;

  /** What each worker has done since it started. Takes no lock and does not scan flows. */
  List<WorkerStatus> status();

  /** The traffic sent to a target since its backend registered. */
  TargetTraffic traffic(Target target);

  /**
   * The number of packets for each VIP that were dropped because they belong to no service, as of
   * the last {@link #maintain}. VIPs whose other traffic is left to the host are absent.
   */
  Map<InetAddress, Long> droppedOtherTraffic();

  /** The {@link Target#id} that a known flow is assigned to; empty for an unknown flow. */
  OptionalInt targetOf(FlowKey flow);

  /**
   * Undoes {@link #apply} and {@link #start}. Packets that were already received are still sent.
   */
  void stop();

  /**
   * Idle times in whole seconds.
   *
   * @param tcp after which a TCP connection makes room for new flows where there is none
   * @param udp after which a UDP flow is forgotten
   * @param closing after which a connection that the client seems to have closed no longer binds
   *     the next one with the same ports
   */
  record FlowTimeouts(Duration tcp, Duration udp, Duration closing) {}

  /** Hears of the replies to path probes. */
  interface ProbeListener {

    /**
     * Called by a thread of the data plane; must return at once.
     *
     * @param sender the address that the reply came from, which anybody can forge
     * @param token in the reply
     */
    void replied(InetAddress sender, String token);
  }

  /**
   * The traffic sent to one target.
   *
   * @param packets that were encapsulated and sent
   * @param bytes of these packets, without the encapsulation
   */
  record TargetTraffic(long packets, long bytes) {

    /** No traffic. */
    public static final TargetTraffic NONE = new TargetTraffic(0, 0);
  }

  /**
   * What one worker has done since it started.
   *
   * @param queue the number of its NFQUEUE
   * @param traffic its packets by disposition, and its errors
   * @param verdictMessages messages that settled batches of packets with the kernel
   * @param flows that have had packets lately
   * @param flowsNotKept packets of flows that found no room in the flow table and so followed the
   *     current Maglev table
   * @param allocatedBytes heap memory that its thread has allocated in all
   * @param queueDropped packets that it never saw, because too many were waiting for it
   * @param unreadDropped packets that it never saw, because its socket had no room for them
   */
  record WorkerStatus(
      int queue,
      TrafficCounters.Snapshot traffic,
      long verdictMessages,
      int flows,
      long flowsNotKept,
      long allocatedBytes,
      long queueDropped,
      long unreadDropped) {}
}
