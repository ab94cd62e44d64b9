package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.linux.NativeMemory;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpProtocol;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Which target each flow of a worker has, so that it stays there whatever else changes: memory of a
 * fixed size outside the heap, in sets of eight entries. A flow belongs to the set that its
 * fingerprint names and may take any entry of it.
 *
 * <pre>
 *  0 fingerprint   16 bytes
 * 16 target id      4 bytes: Target.id, never 0
 * 20 state          2 bits, last packet in seconds 30 bits; 0 when free, with the target id
 * </pre>
 *
 * <p>A flow is <em>new</em> until a second packet shows that its client is real. A new flow takes a
 * free entry, or that of a flow whose time is over, or that of the new or closing one that has been
 * silent longest; when there is none of these, it is not kept, and goes where the table of the
 * moment sends it. So a flood of SYNs, whoever they claim to be from, displaces no connection.
 *
 * <p>The thread of its worker writes. Other threads may {@link #find} and {@link #targetId}: an
 * entry that is written at the same time may be missed.
 *
 * <p>Nothing ever scans the whole table: {@link #sweep} frees entries whose time is over, a part of
 * the table in each second, so that {@link #count} is a counter.
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

  /** In so many seconds all of the table is swept. */
  private static final int SWEEP_SECONDS = 128;

  /** A handshake that takes longer has failed. */
  private static final int NEW_TIMEOUT = 60;

  private final NativeMemory memory;
  private final ByteBuffer entries;
  private final int setMask;
  private volatile int[] timeouts;
  private final int setsToSweep;
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicLong notKept = new AtomicLong();
  private int lastSweep;
  private int nextSet;

  /**
   * An empty table.
   *
   * @param capacity flows, rounded up to a power of two of at least eight; 24 bytes each
   */
  FlowTable(int capacity, Dataplane.FlowTimeouts timeouts) {
    int sets = Math.max(1, Integer.highestOneBit(Math.max(capacity - 1, 1)) * 2 / WAYS);
    this.memory = NativeMemory.allocateForRandomAccess(Math.multiplyExact(sets, SET));
    this.entries = memory.nativeBytes();
    this.setMask = sets - 1;
    this.setsToSweep = Math.max(1, sets / SWEEP_SECONDS);
    setTimeouts(timeouts);
  }

  /** From now on flows are forgotten after these. Any thread may call. */
  final void setTimeouts(Dataplane.FlowTimeouts newTimeouts) {
    timeouts =
        new int[] {
          NEW_TIMEOUT,
          (int) newTimeouts.tcp().toSeconds(),
          (int) newTimeouts.udp().toSeconds(),
          (int) newTimeouts.closing().toSeconds()
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

  /** The id of the target that a flow has. */
  int targetId(int entry) {
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

  /** Gives a known flow another target; the flow begins anew. */
  void move(int entry, int targetId, int now) {
    entries.putLong(entry + META, meta(targetId, NEW, now));
  }

  /**
   * Stores a flow that is not there, if there is room.
   *
   * @return whether there was
   */
  boolean store(Fingerprint flow, int targetId, int now) {
    int entry = entryToTake(setOf(flow), now);
    if (entry == NONE) {
      notKept.lazySet(notKept.getPlain() + 1);
      return false;
    }
    if (entries.getLong(entry + META) == 0) {
      count.lazySet(count.getPlain() + 1);
    }
    entries.putLong(entry + META, 0);
    entries.putLong(entry, flow.high());
    entries.putLong(entry + LOW, flow.low());
    entries.putLong(entry + META, meta(targetId, NEW, now));
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

  private static long meta(int targetId, int state, int now) {
    return (long) targetId << 32 | (long) state << STATE_SHIFT | (now & SECONDS);
  }

  private static int state(long meta) {
    return (int) (meta >>> STATE_SHIFT) & 3;
  }

  private static int seconds(long meta) {
    return (int) meta & SECONDS;
  }

  /**
   * Frees entries whose time is over, in the part of the table whose turn it is. For the worker to
   * call before each batch; does nothing but once a second.
   */
  void sweep(int now) {
    if (now == lastSweep) {
      return;
    }
    lastSweep = now;
    for (int i = 0; i < setsToSweep; i++) {
      int set = nextSet * SET;
      nextSet = (nextSet + 1) & setMask;
      for (int entry = set; entry < set + SET; entry += ENTRY) {
        long meta = entries.getLong(entry + META);
        if (meta != 0 && isFree(meta, now)) {
          entries.putLong(entry + META, 0);
          count.lazySet(count.getPlain() - 1);
        }
      }
    }
  }

  /**
   * How many flows are kept; one whose time is over counts for up to two minutes more. Any thread
   * may call.
   */
  int count() {
    return count.get();
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
