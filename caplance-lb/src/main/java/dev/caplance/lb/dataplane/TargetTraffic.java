package dev.caplance.lb.dataplane;

/**
 * What was sent to one target.
 *
 * @param bytes of the packets, without the encapsulation
 */
public record TargetTraffic(long packets, long bytes) {

  /** Nothing was sent. */
  public static final TargetTraffic NONE = new TargetTraffic(0, 0);
}
