package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.linux.BatchSender;

/**
 * The message that packets of one size to one endpoint are being added to. Reused for run after
 * run; belongs to one worker.
 */
final class Run {

  private Endpoint endpoint;
  private int batch;
  private int message;
  private int size;
  private int trafficClass;
  private int packets;
  private int bytes;

  /**
   * Begins with a packet that was put in line as this message.
   *
   * @param batch number of what is sent together; it ends with it
   */
  void begin(int batch, Endpoint to, int message, int length, int trafficClass) {
    this.batch = batch;
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
  boolean takes(int batch, Endpoint to, int length, int trafficClass) {
    return this.batch == batch
        && endpoint == to
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
