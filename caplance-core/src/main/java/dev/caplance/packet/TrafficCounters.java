package dev.caplance.packet;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What became of the packets that one thread carries. That thread alone counts, without locks;
 * anybody may read.
 */
public final class TrafficCounters {

  private static final Disposition[] DISPOSITIONS = Disposition.values();

  private static final int RECEIVED = DISPOSITIONS.length;
  private static final int BATCHES = RECEIVED + 1;
  private static final int BYTES = RECEIVED + 2;

  private final AtomicLongArray cells = new AtomicLongArray(RECEIVED + 3);

  /**
   * The counts at one moment.
   *
   * @param received packets that came
   * @param batches in which they came
   * @param bytes of those that went on, without encapsulation
   * @param verdicts packets by what became of them, without those that are zero
   */
  public record Snapshot(long received, long batches, long bytes, Map<Disposition, Long> verdicts) {

    /** Packets with this verdict. */
    public long of(Disposition verdict) {
      return verdicts.getOrDefault(verdict, 0L);
    }
  }

  /** Counts a batch that came. */
  public void received(int packets) {
    add(BATCHES, 1);
    add(RECEIVED, packets);
  }

  /** Counts a packet that goes no further. */
  public void refused(Disposition verdict) {
    refused(verdict, 1);
  }

  /** Counts packets that go no further. */
  public void refused(Disposition verdict, int packets) {
    add(cell(verdict), packets);
  }

  /** Counts packets that went on, and their bytes in all. */
  public void forwarded(int packets, int bytes) {
    add(cell(Disposition.FORWARD), packets);
    add(BYTES, bytes);
  }

  @SuppressWarnings("EnumOrdinal") // An array is all that a counter on the hot path may cost.
  private static int cell(Disposition verdict) {
    return verdict.ordinal();
  }

  private void add(int cell, long value) {
    cells.lazySet(cell, cells.getPlain(cell) + value);
  }

  /** The counts now. */
  public Snapshot snapshot() {
    Map<Disposition, Long> verdicts = new EnumMap<>(Disposition.class);
    for (Disposition verdict : DISPOSITIONS) {
      long count = cells.get(cell(verdict));
      if (count != 0) {
        verdicts.put(verdict, count);
      }
    }
    return new Snapshot(cells.get(RECEIVED), cells.get(BATCHES), cells.get(BYTES), verdicts);
  }
}
