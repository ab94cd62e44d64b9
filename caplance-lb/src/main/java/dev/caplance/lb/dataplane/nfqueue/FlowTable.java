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
 * The target of each flow of a worker, which keeps the flow there whatever else changes. The table
 * is memory of a fixed size outside the heap, in sets of eight entries. The fingerprint of a flow
 * selects its set, in which it may take any entry.
 *
 * <pre>
 *  0 fingerprint   16 bytes
 * 16 target id      4 bytes: Target.id, never 0
 * 20 state          2 bits, last packet in seconds 30 bits; 0 when free, with the target id
 * </pre>
 *
 * <p>A flow is <em>new</em> until a second packet shows that its client is real. A new flow takes a
 * free entry, or that of a flow whose timeout has passed, or that of the new or closing flow that
 * has been idle longest. If there is none of these, the flow is not kept and follows the current
 * Maglev table. So a flood of SYNs, from whatever sources it claims to come, displaces no
 * connection.
 *
 * <p>The worker's thread writes. Other threads may call {@link #find} and {@link #targetId}; they
 * may miss an entry that is being written.
 *
 * <p>Nothing ever scans the whole table: {@link #sweep} frees entries whose timeout has passed, in
 * one part of the table each second, so {@link #count} is a plain counter.
 */
final class FlowTable implements AutoCloseable {

  /** The result of {@link #find} for a flow that is not in the table. */
  static final int NONE = -1;

  private static final int ENTRIES_PER_SET = 8;
  private static final int ENTRY = 24;
  private static final int SET = ENTRIES_PER_SET * ENTRY;
  private static final int CACHE_LINE = 64;
  private static final int LOW = 8;
  private static final int META = 16;

  private static final int NEW = 0;
  private static final int TCP = 1;
  private static final int UDP = 2;
  private static final int CLOSING = 3;

  private static final int STATE_SHIFT = 30;
  private static final int SECONDS = (1 << STATE_SHIFT) - 1;

  /** The whole table is swept once in this many seconds. */
  private static final int SWEEP_SECONDS = 128;

  /** Timeout of new flows in seconds: a handshake that takes longer has failed. */
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
   * Creates an empty table.
   *
   * @param capacity flows, rounded up to a power of two of at least eight; each takes 24 bytes
   * @param timeouts idle times after which flows are forgotten
   */
  FlowTable(int capacity, Dataplane.FlowTimeouts timeouts) {
    int sets = Math.max(1, Integer.highestOneBit(Math.max(capacity - 1, 1)) * 2 / ENTRIES_PER_SET);
    this.memory = NativeMemory.allocateForRandomAccess(Math.multiplyExact(sets, SET));
    this.entries = memory.nativeBytes();
    this.setMask = sets - 1;
    this.setsToSweep = Math.max(1, sets / SWEEP_SECONDS);
    setTimeouts(timeouts);
  }

  /** Replaces the timeouts, also of flows that are in the table. Any thread may call. */
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
   * Reads the set of a flow, so that it is in the processor's cache when the flow is looked up.
   * Reads for many flows in a row wait for memory together, where each {@link #find} would wait
   * alone.
   *
   * @return a value that depends on all that was read; the caller must use it, or the compiler may
   *     omit the reads
   */
  long prefetch(Fingerprint flow) {
    int set = setOf(flow);
    return entries.getLong(set)
        ^ entries.getLong(set + CACHE_LINE)
        ^ entries.getLong(set + 2 * CACHE_LINE);
  }

  /**
   * Finds a flow.
   *
   * @param now in seconds, of a clock that never goes back
   * @return its entry, for the other methods until one of them stores a flow; or {@link #NONE}
   */
  int find(Fingerprint flow, int now) {
    int set = setOf(flow);
    for (int entry = set; entry < set + SET; entry += ENTRY) {
      // One branch, not two, so that the processor fetches further entries while it waits for this.
      long difference =
          (entries.getLong(entry) ^ flow.high()) | (entries.getLong(entry + LOW) ^ flow.low());
      if (difference == 0) {
        return isFree(entries.getLong(entry + META), now) ? NONE : entry;
      }
    }
    return NONE;
  }

  /** The id of the target in an entry. */
  int targetId(int entry) {
    return (int) (entries.getLong(entry + META) >>> 32);
  }

  /** Whether one side has closed the connection, so that a SYN begins another one. */
  boolean isClosing(int entry) {
    return state(entries.getLong(entry + META)) == CLOSING;
  }

  /** Records a packet of a known flow. */
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

  /** Assigns a known flow to another target; the flow is new again. */
  void move(int entry, int targetId, int now) {
    entries.putLong(entry + META, meta(targetId, NEW, now));
  }

  /**
   * Stores a flow that is not in the table, if there is room.
   *
   * @return whether there was room
   */
  boolean store(Fingerprint flow, int targetId, int now) {
    int entry = entryToUse(setOf(flow), now);
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

  private int entryToUse(int set, int now) {
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
   * Frees entries whose timeout has passed, in the next part of the table. The worker calls this
   * before each batch; it has an effect once a second.
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
   * The number of flows in the table; one whose timeout has passed may count for up to two minutes
   * more. Any thread may call.
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
