package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.linux.NativeMemory;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
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
 * 16 {@link FlowState}, 8 bytes
 * </pre>
 *
 * <p>Time ends UDP flows only. A TCP connection may be silent for days, so it keeps its entry until
 * another flow needs it. A flow is <em>new</em> until a second packet shows that its client is
 * real. When a set is full, a new flow takes the entry of another new one, else of a connection
 * that seems to have ended, else of one that has been silent for longer than its timeout; of these,
 * the one that has been silent longest. If there is none, the flow is not kept and follows the
 * current Maglev table. So a flood of SYNs, from whatever sources it claims to come, displaces no
 * connection.
 *
 * <p>The worker's thread writes. Other threads may call {@link #find} and {@link #targetId}; they
 * may miss an entry that is being written.
 *
 * <p>Nothing ever scans the whole table: {@link #sweep} looks at one part of it each second, and
 * takes flows that were not seen lately out of {@link #count}.
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

  /** The whole table is swept once in this many seconds. */
  private static final int SWEEP_SECONDS = 128;

  /** A handshake that takes longer, in seconds, has failed. */
  private static final int HANDSHAKE_SECONDS = 60;

  /** The order in which flows make room for new ones. */
  private static final int FIRST = 0;

  private static final int SECOND = 1;
  private static final int THIRD = 2;
  private static final int NEVER = 3;

  private final NativeMemory memory;
  private final ByteBuffer entries;
  private final int setMask;

  /** Seconds for which a flow without packets counts as seen lately, by its state. */
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
   * @param timeouts see {@link Dataplane.FlowTimeouts}
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
    int udp = (int) newTimeouts.udp().toSeconds();
    int closing = (int) newTimeouts.closing().toSeconds();
    int[] byState = new int[FlowState.COUNT];
    byState[FlowState.NEW] = HANDSHAKE_SECONDS;
    byState[FlowState.NEW_UDP] = udp;
    byState[FlowState.TCP] = (int) newTimeouts.tcp().toSeconds();
    byState[FlowState.UDP] = udp;
    byState[FlowState.FIN] = closing;
    byState[FlowState.RESET] = closing;
    timeouts = byState;
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
    return FlowState.targetId(entries.getLong(entry + META));
  }

  /** What is known of the flow: a constant of {@link FlowState}. */
  int state(int entry) {
    return FlowState.state(entries.getLong(entry + META));
  }

  /** Whether the flow has been silent for longer than the timeout of its state. */
  boolean isSilent(int entry, int now) {
    return isSilent(entries.getLong(entry + META), now);
  }

  /** Whether a packet with this sequence number confirms the SYN of {@link #reopen}. */
  boolean isReopenedBy(int entry, int sequence) {
    return FlowState.confirms(entries.getLong(entry + META), sequence);
  }

  /** Records a packet of a known flow that is no SYN. */
  void touch(int entry, FlowKey packet, int now) {
    long meta = entries.getLong(entry + META);
    int state = FlowState.after(FlowState.state(meta), packet);
    put(entry, meta, FlowState.of(FlowState.targetId(meta), state, now));
  }

  /** Records a packet of a known flow that says nothing about its end. */
  void refresh(int entry, boolean confirms, int now) {
    long meta = entries.getLong(entry + META);
    int state = confirms && FlowState.state(meta) == FlowState.NEW ? FlowState.TCP : state(entry);
    put(entry, meta, FlowState.of(FlowState.targetId(meta), state, now));
  }

  /** Notes that a SYN of a known flow was sent to another target than the flow's. */
  void reopen(int entry, int sequence) {
    long meta = entries.getLong(entry + META);
    put(entry, meta, FlowState.reopening(meta, sequence));
  }

  /** Assigns a known flow to another target; the flow is new again. */
  void move(int entry, int targetId, int now) {
    long meta = entries.getLong(entry + META);
    boolean timed = FlowState.isTimed(FlowState.state(meta));
    put(entry, meta, FlowState.of(targetId, timed ? FlowState.NEW_UDP : FlowState.NEW, now));
  }

  /**
   * Stores a flow that is not in the table, if there is room.
   *
   * @param timed whether time ends the flow
   * @return whether there was room
   */
  boolean store(Fingerprint flow, int targetId, boolean timed, int now) {
    int entry = entryToUse(setOf(flow), now);
    if (entry == NONE) {
      notKept.lazySet(notKept.getPlain() + 1);
      return false;
    }
    long before = entries.getLong(entry + META);
    entries.putLong(entry + META, 0);
    entries.putLong(entry, flow.high());
    entries.putLong(entry + LOW, flow.low());
    put(entry, before, FlowState.of(targetId, timed ? FlowState.NEW_UDP : FlowState.NEW, now));
    return true;
  }

  /** Replaces the state of an entry by one that is counted as seen lately. */
  private void put(int entry, long before, long after) {
    entries.putLong(entry + META, after);
    if (!FlowState.isCounted(before)) {
      count.lazySet(count.getPlain() + 1);
    }
  }

  private int entryToUse(int set, int now) {
    int best = NONE;
    int bestTurn = NEVER;
    int bestAge = -1;
    for (int entry = set; entry < set + SET; entry += ENTRY) {
      long meta = entries.getLong(entry + META);
      if (isFree(meta, now)) {
        return entry;
      }
      int turn = turn(meta, now);
      int age = FlowState.age(meta, now);
      if (turn < bestTurn || (turn == bestTurn && turn < NEVER && age > bestAge)) {
        best = entry;
        bestTurn = turn;
        bestAge = age;
      }
    }
    return best;
  }

  private int turn(long meta, int now) {
    return switch (FlowState.state(meta)) {
      case FlowState.NEW, FlowState.NEW_UDP -> FIRST;
      case FlowState.UDP -> NEVER;
      case FlowState.TCP -> isSilent(meta, now) ? THIRD : NEVER;
      default -> SECOND;
    };
  }

  private boolean isFree(long meta, int now) {
    return meta == 0 || (FlowState.isTimed(FlowState.state(meta)) && isSilent(meta, now));
  }

  private boolean isSilent(long meta, int now) {
    return FlowState.age(meta, now) > timeouts[FlowState.state(meta)];
  }

  private int setOf(Fingerprint flow) {
    return ((int) flow.high() & setMask) * SET;
  }

  /**
   * Looks at the next part of the table: frees UDP flows whose timeout has passed, takes other
   * silent flows out of {@link #count}, and gives up SYNs that nothing has followed. The worker
   * calls this before each batch; it has an effect once a second.
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
        sweepEntry(entry, now);
      }
    }
  }

  private void sweepEntry(int entry, int now) {
    long meta = entries.getLong(entry + META);
    int state = FlowState.state(meta);
    long after = meta;
    if (FlowState.isReopening(state)) {
      after =
          state == FlowState.REOPENING
              ? FlowState.olderReopening(meta)
              : FlowState.of(FlowState.targetId(meta), FlowState.FIN, now);
    } else if (meta != 0 && isSilent(meta, now)) {
      after = FlowState.isTimed(state) ? 0 : FlowState.uncounted(meta);
    }
    if (after != meta) {
      entries.putLong(entry + META, after);
      if (FlowState.isCounted(meta) && !FlowState.isCounted(after)) {
        count.lazySet(count.getPlain() - 1);
      }
    }
  }

  /**
   * The number of flows that have had packets within their timeouts; one that has not may count for
   * up to two minutes more. Any thread may call.
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
