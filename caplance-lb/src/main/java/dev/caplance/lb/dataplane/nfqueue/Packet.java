package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.linux.Datagram;
import dev.caplance.linux.nfqueue.PacketSource;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;

/**
 * One packet of a batch: where it lies and what its headers say. One object serves packet after
 * packet. It does not own the packet, which lies in the queue's batch. For the worker's thread.
 */
final class Packet {

  final IpHeader header = new IpHeader();
  final FlowKey flow = new FlowKey();

  /** The fingerprint of the flow; set by the worker when there is a service. */
  final Fingerprint fingerprint = new Fingerprint();

  /** Where the packet lies. */
  final Datagram datagram = new Datagram();

  private long ticket;
  private long address;
  private int offset;
  private int length;
  private boolean aggregate;
  private boolean checksumReady;
  private int service;

  /**
   * Takes the queue's current packet and reads its headers.
   *
   * @return {@link Disposition#FORWARD} when it belongs to {@link #service}, {@link
   *     Disposition#LEFT_TO_HOST} when it is for the machine itself, else the drop reason
   */
  Disposition read(PacketSource queue, ForwardingTable table) {
    ticket = queue.packetTicket();
    address = queue.packetAddress();
    offset = queue.packetOffset();
    length = queue.packetLength();
    datagram.set(address, length);
    aggregate = queue.packetAggregate();
    checksumReady = queue.packetChecksumReady();
    if (!queue.packetWhole() || (length > Encapsulation.MAX_PACKET && !aggregate)) {
      return Disposition.TOO_LARGE;
    }
    Disposition disposition = header.read(queue.bytes(), offset, length);
    if (disposition != Disposition.FORWARD) {
      return disposition;
    }
    if (table.refusesSource(header.sourceHigh(), header.sourceLow())) {
      return Disposition.OWN_SOURCE;
    }
    disposition = flow.read(header, queue.bytes());
    if (disposition == Disposition.FORWARD) {
      service = table.service(flow);
    }
    return disposition == Disposition.FORWARD && service < 0
        ? Disposition.LEFT_TO_HOST
        : disposition;
  }

  /** The service that it belongs to, by its index in the table. */
  int service() {
    return service;
  }

  /** The narrow hash of the flow, which chooses its transmit queue. */
  int flowHash() {
    return (int) fingerprint.low();
  }

  /** The packet as {@link PacketSource#accept} knows it. */
  long ticket() {
    return ticket;
  }

  /** Where it lies in memory. */
  long address() {
    return address;
  }

  /** Where it lies in the queue's bytes. */
  int offset() {
    return offset;
  }

  int length() {
    return length;
  }

  /** Whether the kernel joined it from several; it has no checksum then. */
  boolean aggregate() {
    return aggregate;
  }

  /** Whether its TCP checksum is there. */
  boolean checksumReady() {
    return checksumReady;
  }
}
