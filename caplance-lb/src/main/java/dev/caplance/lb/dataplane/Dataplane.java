package dev.caplance.lb.dataplane;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.packet.FlowKey;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;

/**
 * Something that takes packets for the VIPs and sends them to backends. {@link #start} and {@link
 * #stop} are called once, in this order; the other methods by any thread at any time.
 */
public interface Dataplane {

  /**
   * Takes hold of everything that packets need, and begins.
   *
   * @throws IOException when something is missing or taken, in words for the operator; nothing is
   *     held then
   */
  void start() throws IOException;

  /** Uses this table from the next batch of packets on. */
  void publish(ForwardingTable table);

  /** What each worker has done since the start. */
  List<WorkerStatus> status();

  /** The number of the endpoint that keeps a flow now, if one does. */
  OptionalInt endpointOf(FlowKey flow);

  /** Ends and lets go of everything. Packets that are under way are sent. */
  void stop();
}
