package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.linux.NativeMemory;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpProtocol;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Which endpoint each flow of a worker has, so that it stays there whatever else changes: memory of
 * a fixed size outside the heap, in sets of eight entries. A flow belongs to the set that its
 * fingerprint names and may take any entry of it.
 *
 * <pre>
 * an entry:  fingerprint  16 bytes
 *            endpoint      4 bytes
 *            state         2 bits, last packet in seconds 30 bits; 0 when free, with the endpoint
 * </pre>
 *
 * <p>A flow is <em>new</em> until a second packet shows that its client is real. A new flow takes a
 * free entry, or that of a flow whose time is over, or that of the new or closing one that has been
 * silent longest; when there is none of these, it is not kept, and goes where the table of the
 * moment sends it. So a flood of SYNs, whoever they claim to be from, displaces no connection.
 *
 * <p>The thread of its worker writes. Other threads may {@link #find} and {@link #endpoint}: an
 * entry that is written at the same time may be missed.
 */
final class FlowTable implements AutoCloseable {

  /** What {@link #find} says when a flow is not there. */
  static final int NONE = -1;

  private static final int WAYS = 8;
  private static final int ENTRY = 24;
  private static final int SET = WAYS * ENTRY;
  private static final int CACHE_LINE = 64;
  private static final int LOW = 8;
  private static final int META = 16;

  private static final int NEW = 0;
  private static final int TCP = 1;
  private static final int UDP = 2;
  private static final int CLOSING = 3;

  private static final int STATE_SHIFT = 30;
  private static final int SECONDS = (1 << STATE_SHIFT) - 1;

  /** A handshake that takes longer has failed. */
  private static final int NEW_TIMEOUT = 60;

  private final NativeMemory memory;
  private final ByteBuffer entries;
  private final int setMask;
  private final int[] timeouts;
  private final AtomicLong notKept = new AtomicLong();

  /**
   * An empty table.
   *
   * @param capacity flows, rounded up to a power of two of at least eight; 24 bytes each
   */
  FlowTable(int capacity, FlowTimeouts timeouts) {
    int sets = Math.max(1, Integer.highestOneBit(Math.max(capacity - 1, 1)) * 2 / WAYS);
    this.memory = NativeMemory.allocateForRandomAccess(Math.multiplyExact(sets, SET));
    this.entries = memory.nativeBytes();
    this.setMask = sets - 1;
    this.timeouts =
        new int[] {
          NEW_TIMEOUT,
          (int) timeouts.tcp().toSeconds(),
          (int) timeouts.udp().toSeconds(),
          (int) timeouts.closing().toSeconds()
        };
  }

  /**
   * Reads from the memory of a flow's set, so that it is in the cache when the flow is looked for.
   * Reads for many flows, one right behind the other, wait for the memory together, where each
   * {@link #find} would wait alone.
   *
   * @return something that depends on all that was read, to be used for anything
   */
  long prefetch(Fingerprint flow) {
    int set = setOf(flow);
    return entries.getLong(set)
        ^ entries.getLong(set + CACHE_LINE)
        ^ entries.getLong(set + 2 * CACHE_LINE);
  }

  /**
   * Looks for a flow.
   *
   * @param now in seconds, of a clock that never goes back
   * @return its entry, for the other methods until one of them stores a flow; or {@link #NONE}
   */
  int find(Fingerprint flow, int now) {
    int set = setOf(flow);
    for (int entry = set; entry < set + SET; entry += ENTRY) {
      // One condition, not two: so the processor fetches the next entries while it waits for this.
      long difference =
          (entries.getLong(entry) ^ flow.high()) | (entries.getLong(entry + LOW) ^ flow.low());
      if (difference == 0) {
        return isFree(entries.getLong(entry + META), now) ? NONE : entry;
      }
    }
    return NONE;
  }

  /** The number of the endpoint that a flow has. */
  int endpoint(int entry) {
    return (int) (entries.getLong(entry + META) >>> 32);
  }

  /** Whether one side has ended the connection, so that a SYN begins another one. */
  boolean isClosing(int entry) {
    return state(entries.getLong(entry + META)) == CLOSING;
  }

  /** Notes that a packet of a known flow has come. */
  void touch(int entry, FlowKey packet, int now) {
    long meta = entries.getLong(entry + META);
    int state = state(meta);
    if (packet.isClosing()) {
      state = CLOSING;
    } else if (state == NEW && !packet.isSyn()) {
      state = packet.protocol() == IpProtocol.TCP ? TCP : UDP;
    }
    entries.putLong(entry + META, meta((int) (meta >>> 32), state, now));
  }

  /** Gives a known flow another endpoint; the flow begins anew. */
  void move(int entry, int endpoint, int now) {
    entries.putLong(entry + META, meta(endpoint, NEW, now));
  }

  /**
   * Stores a flow that is not there, if there is room.
   *
   * @return whether there was
   */
  boolean store(Fingerprint flow, int endpoint, int now) {
    int entry = entryToTake(setOf(flow), now);
    if (entry == NONE) {
      notKept.lazySet(notKept.getPlain() + 1);
      return false;
    }
    entries.putLong(entry + META, 0);
    entries.putLong(entry, flow.high());
    entries.putLong(entry + LOW, flow.low());
    entries.putLong(entry + META, meta(endpoint, NEW, now));
    return true;
  }

  private int entryToTake(int set, int now) {
    int oldest = NONE;
    int oldestAge = -1;
    for (int entry = set; entry < set + SET; entry += ENTRY) {
      long meta = entries.getLong(entry + META);
      if (isFree(meta, now)) {
        return entry;
      }
      int state = state(meta);
      int age = now - seconds(meta);
      if ((state == NEW || state == CLOSING) && age > oldestAge) {
        oldest = entry;
        oldestAge = age;
      }
    }
    return oldest;
  }

  private boolean isFree(long meta, int now) {
    return meta == 0 || now - seconds(meta) > timeouts[state(meta)];
  }

  private int setOf(Fingerprint flow) {
    return ((int) flow.high() & setMask) * SET;
  }

  private static long meta(int endpoint, int state, int now) {
    return (long) endpoint << 32 | (long) state << STATE_SHIFT | (now & SECONDS);
  }

  private static int state(long meta) {
    return (int) (meta >>> STATE_SHIFT) & 3;
  }

  private static int seconds(long meta) {
    return (int) meta & SECONDS;
  }

  /** How many flows are kept now. Looks at all entries: for status only. Any thread may call. */
  int count(int now) {
    int count = 0;
    int end = (setMask + 1) * SET;
    for (int entry = 0; entry < end; entry += ENTRY) {
      count += isFree(entries.getLong(entry + META), now) ? 0 : 1;
    }
    return count;
  }

  /** How often {@link #store} found no room. Any thread may call. */
  long notKept() {
    return notKept.get();
  }

  @Override
  public void close() {
    memory.close();
  }
}
