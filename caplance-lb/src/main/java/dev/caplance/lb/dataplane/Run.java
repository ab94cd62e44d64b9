package dev.caplance.lb.dataplane;

import dev.caplance.lb.routing.Endpoint;
import dev.caplance.linux.BatchSender;

/**
 * The message that packets of one size to one endpoint are being added to. Reused for run after
 * run; belongs to one worker.
 */
final class Run {

  private Endpoint endpoint;
  private int message;
  private int size;
  private int trafficClass;
  private int packets;
  private int bytes;

  /** Begins with a packet that was put in line as this message. */
  void begin(Endpoint to, int message, int length, int trafficClass) {
    this.endpoint = to;
    this.message = message;
    this.size = length;
    this.trafficClass = trafficClass;
    this.packets = 1;
    this.bytes = length;
  }

  /** Takes no further packets. */
  void end() {
    endpoint = null;
  }

  /** Whether a packet can be added: only the last one of a run may be shorter than the others. */
  boolean takes(Endpoint to, int length, int trafficClass) {
    return endpoint == to
        && length <= size
        && this.trafficClass == trafficClass
        && packets < BatchSender.MAX_RUN
        && bytes + length <= BatchSender.MAX_RUN_BYTES;
  }

  /** A packet of this length was added to the message. */
  void added(int length) {
    packets++;
    bytes += length;
    if (length < size) {
      end();
    }
  }

  int message() {
    return message;
  }
}
