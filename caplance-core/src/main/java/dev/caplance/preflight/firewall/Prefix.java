package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.Optional;

/**
 * A network.
 *
 * @param length bits that addresses must have in common with {@code address}
 */
public record Prefix(InetAddress address, int length) {

  /**
   * Reads {@code 10.0.0.0/8} or an address alone.
   *
   * @throws IllegalArgumentException when it is anything else
   */
  static Prefix parse(String text) {
    int slash = text.indexOf('/');
    InetAddress address = IpAddresses.parse(slash < 0 ? text : text.substring(0, slash));
    int bits = address.getAddress().length * 8;
    return new Prefix(address, slash < 0 ? bits : Integer.parseInt(text.substring(slash + 1)));
  }

  /** Whether an address is in it. */
  public boolean holds(InetAddress other) {
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

  /** Whether an address is in it; an absent or unspecified one stands for any on a network. */
  Answer holds(Optional<InetAddress> other) {
    Optional<InetAddress> known = other.filter(a -> !a.isAnyLocalAddress());
    if (known.isPresent()) {
      return Answer.of(holds(known.get()));
    }
    if (length == 0) {
      return Answer.YES;
    }
    return address.isLoopbackAddress() ? Answer.NO : Answer.UNKNOWN;
  }
}
