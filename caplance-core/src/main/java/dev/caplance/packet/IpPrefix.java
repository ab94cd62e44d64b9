package dev.caplance.packet;

import java.net.InetAddress;

/**
 * An address and the length of its network prefix: a network, or an address in one.
 *
 * @param address IPv4 or IPv6; its host part may be anything
 * @param length in bits, at most those of the address
 */
public record IpPrefix(InetAddress address, int length) {

  /** Refuses a length that the address does not have. */
  public IpPrefix {
    if (length < 0 || length > bits(address)) {
      throw new IllegalArgumentException(
          "a prefix of "
              + IpAddresses.format(address)
              + " has 0 to "
              + bits(address)
              + " bits, not "
              + length);
    }
  }

  /** The prefix that holds this address only. */
  public static IpPrefix of(InetAddress address) {
    return new IpPrefix(address, bits(address));
  }

  /**
   * Reads {@code 10.0.0.0/8}, or an address alone, which stands for itself.
   *
   * @throws IllegalArgumentException when the text is anything else
   */
  public static IpPrefix parse(String text) {
    int slash = text.indexOf('/');
    return slash < 0
        ? of(IpAddresses.parse(text))
        : new IpPrefix(
            IpAddresses.parse(text.substring(0, slash)),
            Integer.parseInt(text.substring(slash + 1)));
  }

  /** Whether it holds one address only. */
  public boolean isSingleAddress() {
    return length == bits(address);
  }

  /** Whether an address is in it; never one of the other family. */
  public boolean contains(InetAddress other) {
    byte[] mine = address.getAddress();
    byte[] theirs = other.getAddress();
    if (mine.length != theirs.length) {
      return false;
    }
    for (int bit = 0; bit < length; bit++) {
      if (((mine[bit / 8] ^ theirs[bit / 8]) & 0x80 >> bit % 8) != 0) {
        return false;
      }
    }
    return true;
  }

  /** As {@code 10.0.0.0/8}, which {@link #parse} reads. */
  @Override
  public String toString() {
    return IpAddresses.format(address) + "/" + length;
  }

  private static int bits(InetAddress address) {
    return address.getAddress().length * Byte.SIZE;
  }
}
