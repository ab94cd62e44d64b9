package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;

/**
 * Where the packets of each flow go: where they went before, as long as that backend may keep
 * flows, and else where the table of the moment sends new ones; nowhere as long as the table is not
 * what it was when the connection began. Belongs to one worker.
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

  /** Computes the number of a packet's flow, for the other methods. */
  void number(FlowKey packet, Fingerprint flow) {
    hash.of(packet, flow);
  }

  /** See {@link FlowTable#prefetch}. */
  long prefetch(Fingerprint flow) {
    return own.prefetch(flow);
  }

  /**
   * Where a packet goes.
   *
   * @param service of the packet in the table
   * @param flow the number of its flow
   * @param now in seconds
   * @return null when nobody may have it
   */
  Endpoint endpoint(ForwardingTable table, int service, FlowKey packet, Fingerprint flow, int now) {
    return packet.isError()
        ? endpointOfError(table, service, packet, flow, now)
        : endpointOfFlow(table, service, packet, flow, now);
  }

  private Endpoint endpointOfFlow(
      ForwardingTable table, int service, FlowKey packet, Fingerprint flow, int now) {
    int entry = own.find(flow, now);
    boolean begins = packet.isSyn() && entry != FlowTable.NONE && own.isClosing(entry);
    if (entry != FlowTable.NONE && !begins) {
      Endpoint kept = table.keeper(service, own.endpoint(entry));
      if (kept != null) {
        own.touch(entry, packet, now);
        return kept;
      }
    }
    if (entry == FlowTable.NONE && packet.isWithinConnection() && table.awaitsBackends()) {
      return null;
    }
    Endpoint chosen = table.endpoint(service, packet);
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
  private Endpoint endpointOfError(
      ForwardingTable table, int service, FlowKey quoted, Fingerprint flow, int now) {
    for (FlowTable flows : all) {
      int entry = flows.find(flow, now);
      Endpoint kept = entry == FlowTable.NONE ? null : table.keeper(service, flows.endpoint(entry));
      if (kept != null) {
        return kept;
      }
    }
    return table.endpoint(service, quoted);
  }
}
