package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.linux.Datagram;
import dev.caplance.linux.NativeMemory;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TcpSegmenter;
import java.nio.ByteBuffer;

/**
 * Sends TCP packets that the kernel has merged as segments that fit the path: new headers are
 * written to memory of its own, payloads are sent from where they are. For the worker's thread.
 */
final class Segments implements AutoCloseable {

  /** The most headers between two flushes. */
  private static final int CAPACITY = 1024;

  private final TcpSegmenter segmenter = new TcpSegmenter();
  private final NativeMemory headers = NativeMemory.allocate(CAPACITY * TcpSegmenter.MAX_HEADER);
  private final ByteBuffer headerBytes = headers.networkBytes();
  private final Datagram segment = new Datagram();
  private final TransmitQueues queues;
  private int used;

  /** Creates a sender through these queues, which it does not own. */
  Segments(TransmitQueues queues) {
    this.queues = queues;
  }

  /**
   * Reads a packet, for {@link #add} or {@link #completeChecksum}; see {@link TcpSegmenter#begin}.
   */
  boolean begin(IpHeader header, ByteBuffer bytes, int offset, int length) {
    return segmenter.begin(header, bytes, offset, length);
  }

  /** See {@link TcpSegmenter#completeChecksum}. */
  void completeChecksum() {
    segmenter.completeChecksum();
  }

  /**
   * Adds the packet to the transmit queue of its flow, in segments that fit the path to the target.
   *
   * @param packet its memory address; it must stay there until the queues are flushed
   * @return the number of segments; 0 if the headers leave no room for data
   */
  int add(long packet, TargetState to, int flowHash, int trafficClass) {
    int header = segmenter.headerLength();
    int room = to.maxPacket() - header;
    if (room <= 0) {
      return 0;
    }
    int payload = segmenter.payloadLength();
    int number = 0;
    int offset = 0;
    do {
      int length = Math.min(room, payload - offset);
      int at = nextHeader();
      segmenter.writeHeader(number, offset, length, headerBytes, at);
      segment.set(headers.address() + at, header, packet + header + offset, length);
      queues.add(segment, to, flowHash, trafficClass);
      offset += length;
      number++;
    } while (offset < payload);
    return number;
  }

  /** Finds room for a header; flushes the queues if there is none. */
  private int nextHeader() {
    if (used == CAPACITY) {
      queues.flush();
      used = 0;
    }
    return used++ * TcpSegmenter.MAX_HEADER;
  }

  /** Frees the headers. Called once the queues have been flushed. */
  void clear() {
    used = 0;
  }

  @Override
  public void close() {
    headers.close();
  }
}
