package dev.caplance.packet;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collection;

/**
 * An immutable set of addresses, so small that a linear search is faster than hashing: the VIPs and
 * own addresses of a machine, the load balancers of a backend.
 */
public final class AddressSet {

  public static final AddressSet EMPTY = new AddressSet(new long[0]);

  /** Pairs of high and low words. */
  private final long[] words;

  private AddressSet(long[] words) {
    this.words = words;
  }

  public static AddressSet of(Collection<InetAddress> addresses) {
    return new AddressSet(
        addresses.stream()
            .distinct()
            .flatMapToLong(a -> Arrays.stream(new long[] {IpAddresses.high(a), IpAddresses.low(a)}))
            .toArray());
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
    for (int i = 0; i < words.length; i += 2) {
      if (words[i + 1] == low && words[i] == high) {
        return i / 2;
      }
    }
    return -1;
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
