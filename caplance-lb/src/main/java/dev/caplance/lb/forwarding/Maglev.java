package dev.caplance.lb.forwarding;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import net.openhft.hashing.LongHashFunction;

/**
 * Maglev's look-up table (Eisenbud et al., NSDI 2016, §3.4): every backend has its own permutation
 * of the slots, and the backends take turns, each claiming the first free slot of its permutation.
 * So slots are shared evenly, and a change of the set moves few slots between the backends that
 * stay.
 *
 * <p>A backend of weight w takes its turn in a share of w ÷ w_max of the rounds: in round k = 1, 2,
 * … only when k × w has reached its threshold, which starts at 0 and grows by w_max at each turn.
 */
public final class Maglev {

  /** Slots of a table unless configured otherwise. A prime. */
  public static final int DEFAULT_SIZE = 65_537;

  /**
   * The most backends that a table can have: its entries have 16 bits, and one value marks free
   * slots.
   */
  public static final int MAX_BACKENDS = 65_535;

  private static final int FREE = 0xffff;
  private static final LongHashFunction OFFSET_HASH = LongHashFunction.xx(0);
  private static final LongHashFunction SKIP_HASH = LongHashFunction.xx(1);

  private Maglev() {}

  /**
   * Builds a table. The same names and weights in the same order give the same table everywhere.
   *
   * @param names of the backends, distinct and in byte order; at least one
   * @param weights of the backends in the same order, 1 to 256
   * @param size slots, a prime
   * @return for each slot the index of its backend in {@code names}
   * @throws IllegalArgumentException if there are no backends or too many
   */
  public static char[] table(List<String> names, int[] weights, int size) {
    int backends = names.size();
    if (backends == 0 || backends > MAX_BACKENDS) {
      throw new IllegalArgumentException("1 to " + MAX_BACKENDS + " backends, not " + backends);
    }
    int[] position = new int[backends];
    int[] skip = new int[backends];
    for (int i = 0; i < backends; i++) {
      byte[] name = names.get(i).getBytes(StandardCharsets.UTF_8);
      position[i] = (int) Long.remainderUnsigned(OFFSET_HASH.hashBytes(name), size);
      skip[i] = (int) Long.remainderUnsigned(SKIP_HASH.hashBytes(name), size - 1) + 1;
    }
    return fill(position, skip, weights, size);
  }

  static char[] fill(int[] position, int[] skip, int[] weights, int size) {
    char[] slots = new char[size];
    Arrays.fill(slots, (char) FREE);
    long[] threshold = new long[weights.length];
    int maxWeight = Arrays.stream(weights).max().orElseThrow();
    int filled = 0;
    for (long round = 1; ; round++) {
      for (int i = 0; i < weights.length; i++) {
        if (round * weights[i] < threshold[i]) {
          continue;
        }
        threshold[i] += maxWeight;
        int slot = position[i];
        while (slots[slot] != FREE) {
          slot = next(slot, skip[i], size);
        }
        slots[slot] = (char) i;
        position[i] = next(slot, skip[i], size);
        if (++filled == size) {
          return slots;
        }
      }
    }
  }

  private static int next(int slot, int skip, int size) {
    int next = slot + skip;
    return next >= size ? next - size : next;
  }
}
