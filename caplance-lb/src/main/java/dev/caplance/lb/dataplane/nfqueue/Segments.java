package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.linux.NativeMemory;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TcpSegmenter;
import java.nio.ByteBuffer;

/**
 * Puts TCP packets that the kernel has joined in line as segments that fit their way: headers made
 * here, payloads where they are. Belongs to one worker.
 */
final class Segments implements AutoCloseable {

  /** Headers between two flushes. */
  private static final int CAPACITY = 1024;

  private final TcpSegmenter segmenter = new TcpSegmenter();
  private final NativeMemory headers = NativeMemory.allocate(CAPACITY * TcpSegmenter.MAX_HEADER);
  private final ByteBuffer headerBytes = headers.networkBytes();
  private final Lanes lanes;
  private int used;

  Segments(Lanes lanes) {
    this.lanes = lanes;
  }

  /**
   * Takes a packet, for {@link #add} or {@link #completeChecksum}; see {@link TcpSegmenter#begin}.
   */
  boolean begin(IpHeader header, ByteBuffer bytes, int offset, int length) {
    return segmenter.begin(header, bytes, offset, length);
  }

  /** See {@link TcpSegmenter#completeChecksum}. */
  void completeChecksum() {
    segmenter.completeChecksum();
  }

  /**
   * Puts the packet in line, cut so that it fits the way to the endpoint.
   *
   * @param packet where it lies; it must stay there until the lanes are flushed
   * @return into how many segments
   */
  int add(long packet, Endpoint to, int way, int trafficClass) {
    int header = segmenter.headerLength();
    int room = to.maxPacket() - header;
    int left = segmenter.payloadLength();
    int number = 0;
    int offset = 0;
    do {
      int length = Math.min(room, left - offset);
      int at = place();
      segmenter.writeHeader(number, offset, length, headerBytes, at);
      lanes.add(
          headers.address() + at, header, packet + header + offset, length, to, way, trafficClass);
      offset += length;
      number++;
    } while (offset < left);
    return number;
  }

  /** Room for a header; what waits is sent when there is no more. */
  private int place() {
    if (used == CAPACITY) {
      lanes.flush();
      used = 0;
    }
    return used++ * TcpSegmenter.MAX_HEADER;
  }

  /** The lanes were flushed: the headers are needed no more. */
  void clear() {
    used = 0;
  }

  @Override
  public void close() {
    headers.close();
  }
}
