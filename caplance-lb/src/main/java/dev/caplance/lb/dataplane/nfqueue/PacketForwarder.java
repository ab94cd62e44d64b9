package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.packet.Disposition;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sends packets to their targets in the form that the path takes: as they are, merged TCP in
 * segments, and others that are too large in fragments; or replies to their senders why not. Owns
 * what it sends through. For the worker's thread.
 */
final class PacketForwarder implements AutoCloseable {

  private final TransmitQueues transmitQueues;
  private final FragmentQueue fragments;
  private final Responder responder;
  private final SizeAdvice sizeAdvice;
  private final Segments segments;
  private int extraSegments;

  /** Creates a forwarder, which closes its parts. */
  PacketForwarder(
      TransmitQueues transmitQueues,
      FragmentQueue fragments,
      Responder responder,
      SizeAdvice sizeAdvice) {
    this.transmitQueues = transmitQueues;
    this.fragments = fragments;
    this.responder = responder;
    this.sizeAdvice = sizeAdvice;
    this.segments = new Segments(transmitQueues);
  }

  /**
   * Opens a forwarder.
   *
   * @param worker the number of the worker, from 0
   * @param batch packets between two flushes
   * @throws IOException if that fails; nothing is held then
   */
  static PacketForwarder open(
      int worker,
      int batch,
      NfqueueDataplane.Settings settings,
      TrafficCounters counters,
      SecondsClock clock)
      throws IOException {
    TransmitQueues transmitQueues = new TransmitQueues(batch, worker, counters, clock);
    FragmentQueue fragments = null;
    try {
      fragments = new FragmentQueue(worker, settings.queueCount(), counters);
      return new PacketForwarder(
          transmitQueues, fragments, new Responder(), new SizeAdvice(settings.widestMtu()));
    } catch (IOException | RuntimeException e) {
      transmitQueues.close();
      if (fragments != null) {
        fragments.close();
      }
      throw e;
    }
  }

  /** Whether the kernel segments GSO batches. */
  boolean supportsGso() {
    return transmitQueues.supportsGso();
  }

  /**
   * Sends a packet to a target, at the latest with {@link #flush}.
   *
   * @param bytes that hold the packet; it must stay there until then
   * @return {@link Disposition#FORWARD}, or why it is not sent
   */
  Disposition forward(TargetState target, Packet packet, ByteBuffer bytes) {
    if (packet.aggregate()) {
      return forwardAggregate(target, packet, bytes);
    }
    int length = packet.length();
    int maxPacket = target.maxPacket();
    if (sizeAdvice.isDue(packet.header, packet.flow, length, maxPacket)) {
      responder.tooBig(packet.header, bytes, packet.offset(), length, maxPacket);
      return Disposition.PATH_TOO_NARROW;
    }
    if (!packet.checksumReady() && packet.header.protocol() == IpProtocol.TCP) {
      if (!segments.begin(packet.header, bytes, packet.offset(), length)) {
        return Disposition.MALFORMED;
      }
      segments.completeChecksum();
    }
    int trafficClass = Encapsulation.outerTrafficClass(packet.header.trafficClass());
    if (length <= maxPacket) {
      transmitQueues.add(packet.datagram, target, packet.flowHash(), trafficClass);
    } else {
      int port = transmitQueues.port(target, packet.flowHash());
      fragments.add(bytes, packet.offset(), packet.address(), length, target, port, trafficClass);
    }
    return Disposition.FORWARD;
  }

  /** Forwards a merged packet as segments, each of which counts as a packet. */
  private Disposition forwardAggregate(TargetState target, Packet packet, ByteBuffer bytes) {
    if (packet.flow.isError()
        || !segments.begin(packet.header, bytes, packet.offset(), packet.length())) {
      return Disposition.MALFORMED;
    }
    int trafficClass = Encapsulation.outerTrafficClass(packet.header.trafficClass());
    int count = segments.add(packet.address(), target, packet.flowHash(), trafficClass);
    if (count == 0) {
      return Disposition.PATH_TOO_NARROW;
    }
    extraSegments += count - 1;
    return Disposition.FORWARD;
  }

  /** Replies that no backend takes a packet; see {@link Responder#unreachable}. */
  void refuse(Packet packet, ByteBuffer bytes) {
    responder.unreachable(packet.header, packet.flow, bytes, packet.offset(), packet.length());
  }

  /** Sends what waits, replies included. */
  void flush() {
    transmitQueues.flush();
    segments.clear();
    fragments.flush();
    responder.flush();
    extraSegments = 0;
  }

  /** Segments since the last flush, less one for each packet that was divided into them. */
  int extraSegments() {
    return extraSegments;
  }

  @Override
  public void close() {
    transmitQueues.close();
    segments.close();
    fragments.close();
    responder.close();
  }
}
