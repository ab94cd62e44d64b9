package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.linux.Datagram;
import dev.caplance.linux.nfqueue.PacketSource;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;
import java.nio.ByteBuffer;

/**
 * One packet of a batch: where it lies and what its headers say. Objects are reused packet after
 * packet. They do not own the memory of the packet, which belongs to the queue. For the worker's
 * thread.
 */
final class Packet {

  private static final int UDP_HEADER = 8;

  final IpHeader header = new IpHeader();
  final FlowKey flow = new FlowKey();

  /** The fingerprint of the flow; set by the worker if the packet belongs to a service. */
  final Fingerprint fingerprint = new Fingerprint();

  /** The memory of the packet. */
  final Datagram datagram = new Datagram();

  /** The header of the packet that a packet to the data port may hold. */
  private final IpHeader inner = new IpHeader();

  private final int dataPort;
  private long ticket;
  private long address;
  private int offset;
  private int length;
  private boolean aggregate;
  private boolean checksumReady;
  private int service;

  /**
   * Creates a packet that is to be read.
   *
   * @param dataPort the UDP port of backends
   */
  Packet(int dataPort) {
    this.dataPort = dataPort;
  }

  /**
   * Reads the headers of the queue's current packet.
   *
   * @return {@link Disposition#FORWARD} if it belongs to {@link #service}, {@link
   *     Disposition#LEFT_TO_HOST} if it is for the machine itself, otherwise the drop reason
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
    if (disposition != Disposition.FORWARD) {
      return disposition;
    }
    service = table.service(flow);
    if (service < 0) {
      return Disposition.LEFT_TO_HOST;
    }
    return isForBackend(queue.bytes()) ? Disposition.ENCAPSULATED : Disposition.FORWARD;
  }

  /**
   * Whether a load balancer sent this to a backend, whose address turns out to be a VIP here: a
   * datagram to the data port that holds a packet, or a sanity check. A backend with such an
   * address so never proves its path.
   */
  private boolean isForBackend(ByteBuffer bytes) {
    if (flow.protocol() != IpProtocol.UDP || flow.destinationPort() != dataPort || flow.isError()) {
      return false;
    }
    int at = header.upperOffset() + UDP_HEADER;
    int payload = header.upperLength() - UDP_HEADER;
    Disposition content = inner.read(bytes, at, payload);
    return content == Disposition.FORWARD
        || content == Disposition.MARTIAN_SOURCE
        || Encapsulation.isSanityCheck(bytes, at, payload);
  }

  /** The position of its service in the table. */
  int service() {
    return service;
  }

  /** The narrow hash of the flow, which chooses its transmit queue. */
  int flowHash() {
    return (int) fingerprint.low();
  }

  /** The ticket that {@link PacketSource#accept} takes. */
  long ticket() {
    return ticket;
  }

  /** Its memory address. */
  long address() {
    return address;
  }

  /** Its offset in the queue's bytes. */
  int offset() {
    return offset;
  }

  int length() {
    return length;
  }

  /** Whether the kernel merged it from several segments; it has no checksum then. */
  boolean aggregate() {
    return aggregate;
  }

  /** Whether its TCP checksum is complete. */
  boolean checksumReady() {
    return checksumReady;
  }
}
