package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;

/**
 * Decides where the packets of each flow go: to the target of the previous packets as long as that
 * may keep flows, else to the target that the current table selects. While backends are awaited
 * after a restart, packets of unknown connections go nowhere. Belongs to one worker.
 */
final class Flows {

  private final FlowHash hash;
  private final FlowTable own;

  /** The tables of all workers: ICMP errors may concern flows of other workers. */
  private FlowTable[] all;

  /**
   * Creates the flows of one worker.
   *
   * @param hash computes fingerprints; it is the same for all workers, and its key is secret
   * @param own the table of this worker
   */
  Flows(FlowHash hash, FlowTable own) {
    this.hash = hash;
    this.own = own;
    this.all = new FlowTable[] {own};
  }

  /** Sets the tables of all workers. Called before the worker runs. */
  void setTables(FlowTable[] tables) {
    all = tables;
  }

  FlowTable table() {
    return own;
  }

  /** Computes the fingerprint of a packet's flow, which the other methods take. */
  void fingerprint(FlowKey packet, Fingerprint flow) {
    hash.of(packet, flow);
  }

  /** See {@link FlowTable#sweep}. */
  void sweep(int now) {
    own.sweep(now);
  }

  /** See {@link FlowTable#prefetch}. */
  long prefetch(Fingerprint flow) {
    return own.prefetch(flow);
  }

  /**
   * Selects the target of a packet.
   *
   * @param service position of the packet's service in the table
   * @param flow the fingerprint of its flow
   * @param now in seconds
   * @return null if no target may get it
   */
  Target target(ForwardingTable table, int service, FlowKey packet, Fingerprint flow, int now) {
    return packet.isError()
        ? targetOfError(table, service, packet, flow, now)
        : targetOfFlow(table, service, packet, flow, now);
  }

  private Target targetOfFlow(
      ForwardingTable table, int service, FlowKey packet, Fingerprint flow, int now) {
    int entry = own.find(flow, now);
    boolean restarts = packet.isSyn() && entry != FlowTable.NONE && own.isClosing(entry);
    if (entry != FlowTable.NONE && !restarts) {
      Target kept = table.retained(service, own.targetId(entry));
      if (kept != null) {
        own.touch(entry, packet, now);
        return kept;
      }
    }
    if (entry == FlowTable.NONE && packet.isWithinConnection() && table.awaitsBackends()) {
      return null;
    }
    Target chosen = table.target(service, packet);
    if (chosen != null && entry != FlowTable.NONE) {
      own.move(entry, chosen.id(), now);
    } else if (chosen != null) {
      own.store(flow, chosen.id(), now);
    }
    return chosen;
  }

  /**
   * Looks in the tables of all workers: the error comes from a router, whose address may put it in
   * another queue than the flow.
   */
  private Target targetOfError(
      ForwardingTable table, int service, FlowKey quoted, Fingerprint flow, int now) {
    for (FlowTable flows : all) {
      int entry = flows.find(flow, now);
      Target kept = entry == FlowTable.NONE ? null : table.retained(service, flows.targetId(entry));
      if (kept != null) {
        return kept;
      }
    }
    return table.target(service, quoted);
  }
}
