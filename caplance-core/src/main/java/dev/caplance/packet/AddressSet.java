package dev.caplance.packet;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collection;

/**
 * An immutable set of addresses, looked up in constant time: the VIPs and own addresses of a
 * machine, the load balancers of a backend.
 */
public final class AddressSet {

  public static final AddressSet EMPTY = new AddressSet(new long[0]);

  private static final long MIX = 0x9e37_79b9_7f4a_7c15L;

  /** Pairs of high and low words. */
  private final long[] words;

  /** A hash table, linearly probed: the place of an address in {@link #words}, plus one. */
  private final int[] table;

  private final int shift;

  private AddressSet(long[] words) {
    this.words = words;
    int bits = Integer.SIZE + 1 - Integer.numberOfLeadingZeros(Math.max(words.length / 2, 1));
    this.table = new int[1 << bits];
    this.shift = Long.SIZE - bits;
    for (int i = 0; i < words.length; i += 2) {
      table[slot(words[i], words[i + 1])] = i / 2 + 1;
    }
  }

  public static AddressSet of(Collection<InetAddress> addresses) {
    return new AddressSet(
        addresses.stream()
            .distinct()
            .flatMapToLong(a -> Arrays.stream(new long[] {IpAddresses.high(a), IpAddresses.low(a)}))
            .toArray());
  }

  /** The slot of an address, or the empty one where it would be. */
  private int slot(long high, long low) {
    int slot = (int) ((((high * MIX) ^ low) * MIX) >>> shift);
    while (table[slot] != 0 && !isAt(table[slot] - 1, high, low)) {
      slot = (slot + 1) & (table.length - 1);
    }
    return slot;
  }

  private boolean isAt(int place, long high, long low) {
    return words[2 * place + 1] == low && words[2 * place] == high;
  }

  /** The addresses of both sets. */
  public AddressSet and(AddressSet other) {
    long[] all = Arrays.copyOf(words, words.length + other.words.length);
    int length = words.length;
    for (int i = 0; i < other.words.length; i += 2) {
      if (!contains(other.words[i], other.words[i + 1])) {
        all[length++] = other.words[i];
        all[length++] = other.words[i + 1];
      }
    }
    return new AddressSet(Arrays.copyOf(all, length));
  }

  /** Whether the address whose 16-byte form has these halves is in the set. */
  public boolean contains(long high, long low) {
    return indexOf(high, low) >= 0;
  }

  /** The place of such an address, from 0 to {@link #size} - 1; -1 if it is not in the set. */
  public int indexOf(long high, long low) {
    return table[slot(high, low)] - 1;
  }

  /** How many addresses there are. */
  public int size() {
    return words.length / 2;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AddressSet set && Arrays.equals(words, set.words);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(words);
  }
}
