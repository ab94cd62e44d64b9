package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;

/**
 * Where the packets of each flow go: to the target that they went to before, as long as it may keep
 * flows, else where the current table sends new flows. Packets of unknown connections go nowhere
 * while backends are awaited after a restart. Belongs to one worker.
 */
final class Flows {

  private final FlowHash hash;
  private final FlowTable own;

  /** The tables of all workers, for errors about flows of the others. */
  private FlowTable[] all;

  /**
   * Flows of one worker.
   *
   * @param hash tells flows apart; the same for all workers, and secret
   */
  Flows(FlowHash hash, FlowTable own) {
    this.hash = hash;
    this.own = own;
    this.all = new FlowTable[] {own};
  }

  /** Called before the worker runs. */
  void setTables(FlowTable[] tables) {
    all = tables;
  }

  FlowTable table() {
    return own;
  }

  /** Computes the fingerprint of a packet's flow, for the other methods. */
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
   * Where a packet goes.
   *
   * @param service of the packet in the table
   * @param flow the fingerprint of its flow
   * @param now in seconds
   * @return null when nobody may have it
   */
  Target target(ForwardingTable table, int service, FlowKey packet, Fingerprint flow, int now) {
    return packet.isError()
        ? targetOfError(table, service, packet, flow, now)
        : targetOfFlow(table, service, packet, flow, now);
  }

  private Target targetOfFlow(
      ForwardingTable table, int service, FlowKey packet, Fingerprint flow, int now) {
    int entry = own.find(flow, now);
    boolean begins = packet.isSyn() && entry != FlowTable.NONE && own.isClosing(entry);
    if (entry != FlowTable.NONE && !begins) {
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
   * Routers that report errors have other addresses than the client, so another queue may get it.
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
