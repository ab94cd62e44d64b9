package dev.caplance.packet;

import java.net.InetAddress;
import java.util.Collection;
import java.util.Set;

/**
 * An immutable set of addresses, looked up in constant time: the VIPs and own addresses of a
 * machine, the load balancers of a backend.
 */
public final class AddressSet {

  public static final AddressSet EMPTY = of(Set.of());

  private static final long MIX = 0x9e37_79b9_7f4a_7c15L;

  private final Set<InetAddress> addresses;

  /** A hash table, linearly probed: pairs of high and low words, both 0 in an empty slot. */
  private final long[] words;

  private final int shift;

  /** The unspecified address looks like an empty slot. */
  private final boolean unspecified;

  private AddressSet(Set<InetAddress> addresses) {
    this.addresses = addresses;
    int bits = 33 - Integer.numberOfLeadingZeros(Math.max(addresses.size(), 1));
    this.words = new long[2 << bits];
    this.shift = Long.SIZE - bits;
    boolean anyUnspecified = false;
    for (InetAddress address : addresses) {
      long high = IpAddresses.high(address);
      long low = IpAddresses.low(address);
      int at = find(high, low);
      words[at] = high;
      words[at + 1] = low;
      anyUnspecified |= high == 0 && low == 0;
    }
    this.unspecified = anyUnspecified;
  }

  public static AddressSet of(Collection<InetAddress> addresses) {
    return new AddressSet(Set.copyOf(addresses));
  }

  /** Where an address is, or the empty slot where it would be. */
  private int find(long high, long low) {
    int at = (int) (((high * MIX) ^ low) * MIX >>> shift) << 1;
    while ((words[at] != high || words[at + 1] != low) && (words[at] | words[at + 1]) != 0) {
      at = at + 2 & words.length - 1;
    }
    return at;
  }

  /** Whether the address whose 16-byte form has these halves is in the set. */
  public boolean contains(long high, long low) {
    int at = find(high, low);
    return (words[at] | words[at + 1]) != 0 || (high | low) == 0 && unspecified;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AddressSet set && addresses.equals(set.addresses);
  }

  @Override
  public int hashCode() {
    return addresses.hashCode();
  }
}
