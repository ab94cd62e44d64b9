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

  /** Whether the address whose 16-byte form has these halves is in the set. */
  public boolean contains(long high, long low) {
    for (int i = 0; i < words.length; i += 2) {
      if (words[i + 1] == low && words[i] == high) {
        return true;
      }
    }
    return false;
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
