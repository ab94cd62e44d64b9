package dev.caplance.backend.dataplane;

import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/**
 * The UDP flows of which packets came lately, so that a drain can wait for them: the kernel knows
 * no connections of UDP.
 *
 * <p>A table of sets with {@value #WAYS} places each; a flow has a set by its hash. A new flow
 * takes the place of the one that has been silent for longest. Flows whose 64-bit hashes are equal
 * count as one. The thread that decapsulates writes; any may count. What it wrote in a batch is
 * seen after the next {@link #beginBatch}.
 */
public final class UdpFlows {

  private static final int SET_BITS = 13;
  private static final int SETS = 1 << SET_BITS;
  private static final int WAYS = 8;

  /** Bytes of both ports, with which the header begins. */
  private static final int PORTS = 4;

  private static final long MIX = 0x9e3779b97f4a7c15L;

  private final long[] flows = new long[SETS * WAYS];

  /** When a packet of the flow in this place came, in seconds since the start; 0: no flow. */
  private final int[] seen = new int[SETS * WAYS];

  private final long start;
  private volatile int now = 1;

  /** Without flows. */
  UdpFlows(long nanos) {
    start = nanos;
  }

  /**
   * Sets the time of the packets that follow.
   *
   * @param nanos as of {@link System#nanoTime}
   */
  void beginBatch(long nanos) {
    now = seconds(nanos);
  }

  private int seconds(long nanos) {
    return 1 + (int) TimeUnit.NANOSECONDS.toSeconds(nanos - start);
  }

  /** Takes note of a packet, if it is UDP and has ports. */
  void saw(IpHeader header, ByteBuffer bytes) {
    if (header.protocol() == IpProtocol.UDP
        && !header.fragment()
        && header.upperLength() >= PORTS) {
      saw(hash(header, bytes.getInt(header.upperOffset())));
    }
  }

  private static long hash(IpHeader header, int ports) {
    long hash = mix(header.sourceHigh(), header.sourceLow());
    hash = mix(hash ^ header.destinationHigh(), header.destinationLow());
    return mix(hash, ports);
  }

  private static long mix(long a, long b) {
    long mixed = (a ^ b * MIX) * MIX;
    return mixed ^ mixed >>> 32;
  }

  private void saw(long flow) {
    int set = (int) (flow >>> (Long.SIZE - SET_BITS)) * WAYS;
    int oldest = set;
    for (int place = set; place < set + WAYS; place++) {
      if (flows[place] == flow) {
        oldest = place;
        break;
      }
      if (seen[place] < seen[oldest]) {
        oldest = place;
      }
    }
    flows[oldest] = flow;
    seen[oldest] = now;
  }

  /**
   * How many flows a packet came of lately. Any thread may call.
   *
   * @param seconds that may have passed since
   * @param nanos the time now, as of {@link System#nanoTime}
   */
  public int count(int seconds, long nanos) {
    // Reading the volatile field makes visible what was written before it.
    int since = Math.max(1, Math.max(now, seconds(nanos)) - seconds);
    int count = 0;
    for (int at : seen) {
      count += at >= since ? 1 : 0;
    }
    return count;
  }
}
