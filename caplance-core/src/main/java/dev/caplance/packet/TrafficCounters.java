package dev.caplance.packet;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What became of the packets that one thread carries. That thread alone counts, without locks; any
 * thread may read.
 */
public final class TrafficCounters {

  private static final Disposition[] DISPOSITIONS = Disposition.values();
  private static final TrafficCounter[] COUNTERS = TrafficCounter.values();

  private final AtomicLongArray cells = new AtomicLongArray(DISPOSITIONS.length + COUNTERS.length);

  /**
   * The counts at one moment.
   *
   * @param counts without those that are zero
   * @param dispositions packets by what became of them, without those that are zero
   */
  public record Snapshot(Map<TrafficCounter, Long> counts, Map<Disposition, Long> dispositions) {

    /** One of the counts. */
    public long of(TrafficCounter counter) {
      return counts.getOrDefault(counter, 0L);
    }

    /** Packets of which this became. */
    public long of(Disposition disposition) {
      return dispositions.getOrDefault(disposition, 0L);
    }

    /** Packets that came. */
    public long received() {
      return of(TrafficCounter.RECEIVED);
    }

    /** Batches in which they came. */
    public long batches() {
      return of(TrafficCounter.BATCHES);
    }

    /** Bytes of the packets that went on, without encapsulation. */
    public long bytes() {
      return of(TrafficCounter.BYTES);
    }
  }

  /** Counts a batch that came. */
  public void received(int packets) {
    add(TrafficCounter.BATCHES, 1);
    add(TrafficCounter.RECEIVED, packets);
  }

  /** Counts a packet that goes no further. */
  public void refused(Disposition reason) {
    refused(reason, 1);
  }

  /** Counts packets that go no further. */
  public void refused(Disposition reason, int packets) {
    add(cell(reason), packets);
  }

  /** Counts packets that went on, and their bytes in all. */
  public void forwarded(int packets, int bytes) {
    add(cell(Disposition.FORWARD), packets);
    add(TrafficCounter.BYTES, bytes);
  }

  /** Adds to one of the counts. */
  public void add(TrafficCounter counter, int count) {
    add(cell(counter), count);
  }

  private static int cell(Disposition disposition) {
    return disposition.id();
  }

  private static int cell(TrafficCounter counter) {
    return DISPOSITIONS.length + counter.id();
  }

  private void add(int cell, long value) {
    cells.lazySet(cell, cells.getPlain(cell) + value);
  }

  /** The counts now. */
  public Snapshot snapshot() {
    Map<TrafficCounter, Long> counts = new EnumMap<>(TrafficCounter.class);
    for (TrafficCounter counter : COUNTERS) {
      putIfPositive(counts, counter, cells.get(cell(counter)));
    }
    Map<Disposition, Long> dispositions = new EnumMap<>(Disposition.class);
    for (Disposition disposition : DISPOSITIONS) {
      putIfPositive(dispositions, disposition, cells.get(cell(disposition)));
    }
    return new Snapshot(counts, dispositions);
  }

  private static <K> void putIfPositive(Map<K, Long> counts, K key, long count) {
    if (count > 0) {
      counts.put(key, count);
    }
  }
}
