package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpProtocol;

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
  void fingerprint(ForwardingTable table, int service, FlowKey packet, Fingerprint flow) {
    table.fingerprint(service, packet, hash, flow);
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
    if (entry == FlowTable.NONE && packet.isWithinConnection() && table.awaitsBackends()) {
      return null;
    }
    Target kept = entry == FlowTable.NONE ? null : table.retained(service, own.targetId(entry));
    if (kept == null) {
      return assign(table, service, packet, flow, entry, now);
    }
    if (table.leaves(service, kept, packet)) {
      return assign(table, service, packet, flow, entry, now);
    }
    if (table.followsClient(service)) {
      own.refresh(entry, !packet.isSyn(), now);
      return kept;
    }
    if (packet.isSyn()) {
      return targetOfSyn(table, service, packet, entry, kept, now);
    }
    boolean reopened =
        FlowState.isReopening(own.state(entry)) && own.isReopenedBy(entry, packet.sequence());
    if (reopened) {
      kept = assign(table, service, packet, flow, entry, now);
    }
    if (kept != null) {
      own.touch(entry, packet, now);
    }
    return kept;
  }

  /** Gives a flow to the target that the table selects. */
  private Target assign(
      ForwardingTable table, int service, FlowKey packet, Fingerprint flow, int entry, int now) {
    Target chosen = table.target(service, packet);
    if (chosen != null && entry != FlowTable.NONE) {
      own.move(entry, chosen.id(), now);
    } else if (chosen != null) {
      boolean timed = isUdp(packet) && !table.followsClient(service);
      own.store(flow, chosen.id(), timed, now);
    }
    return chosen;
  }

  /**
   * Selects the target of a SYN that has the addresses and ports of a known flow. It goes to
   * another target than the flow's only if the flow's client has ended the connection, and the
   * target gets no new flows or much time has passed; the flow itself moves when the handshake goes
   * on. A SYN that somebody forged so changes nothing: the client does not go on with that
   * handshake, but with its connection.
   */
  private Target targetOfSyn(
      ForwardingTable table, int service, FlowKey syn, int entry, Target kept, int now) {
    int state = own.state(entry);
    boolean chosenAnyway = table.chooses(service, kept);
    if (state == FlowState.NEW) {
      if (!chosenAnyway) {
        return assign(table, service, syn, null, entry, now);
      }
      own.refresh(entry, false, now);
      return kept;
    }
    boolean ended =
        (FlowState.isClosing(state) && (!chosenAnyway || own.isSilent(entry, now)))
            || FlowState.isReopening(state);
    Target chosen = ended ? table.target(service, syn) : kept;
    if (chosen != null && chosen.id() != kept.id()) {
      own.reopen(entry, syn.sequence());
    }
    return chosen;
  }

  private static boolean isUdp(FlowKey packet) {
    return packet.protocol() == IpProtocol.UDP;
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
