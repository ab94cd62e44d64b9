package dev.caplance.packet;

/** What a thread that carries packets counts besides their {@link Disposition}s. */
public enum TrafficCounter {
  RECEIVED(0, "Packets that came."),
  BATCHES(1, "Batches in which they came."),
  BYTES(2, "Bytes of the packets that went on, without encapsulation."),
  RECEIVE_ERRORS(3, "System calls that failed to receive."),
  VERDICTS(4, "Messages that had the kernel drop a batch, whose copies were sent on."),
  VERDICT_ERRORS(
      5, "Messages to settle packets that could not be sent or that the kernel refused.");

  private final int id;
  private final String description;

  TrafficCounter(int id, String description) {
    this.id = id;
    this.description = description;
  }

  /** From 0; never given to another counter. */
  public int id() {
    return id;
  }

  /** A sentence for people. */
  public String description() {
    return description;
  }
}
