package dev.caplance.lb.forwarding;

import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;

/**
 * A registered backend as data planes see it. Immutable; another weight, MTU or source makes a new
 * target with the same {@link #id}.
 *
 * @param index 0 to 65,534, dense: the index of a backend that has left is reused, so data planes
 *     can keep their state of targets in arrays
 * @param generation 0 to 65,535; distinguishes backends that have had the same index one after
 *     another
 * @param name of the backend
 * @param weight its share of new flows in proportion to others, 1 to 256
 * @param address its data address, which encapsulated packets are sent to
 * @param mtu bytes of the largest encapsulated packet that passes on the path to it, at most
 *     65,535; an interface that has more, as loopback does, can send no larger packet
 * @param source the address of this load balancer that its backend takes packets from; packets to
 *     it leave from no other
 */
public record Target(
    int index,
    int generation,
    String name,
    int weight,
    InetAddress address,
    int mtu,
    InetAddress source) {

  private static final int LARGEST_PACKET = 65_535;
  private static final int GENERATION_BITS = 16;

  /** The number of generations of an index before they repeat. */
  public static final int GENERATIONS = 1 << GENERATION_BITS;

  /** Limits the MTU to what a packet can have. */
  public Target {
    mtu = Math.min(mtu, LARGEST_PACKET);
  }

  /** Index and generation in one number, as flow tables store them. */
  public int id() {
    return index << GENERATION_BITS | generation;
  }

  /** The index in an id. */
  public static int indexOf(int id) {
    return id >>> GENERATION_BITS;
  }

  /**
   * The least MTU that packets are made for: what every host receives (RFC 1122, section 3.3.3).
   * Below it, headers could leave no room for data.
   */
  public static final int MIN_MTU = 576;

  /**
   * Bytes of the largest client packet that reaches the backend without fragmentation, if the MTU
   * is at least {@link #MIN_MTU}; otherwise as if it were.
   */
  public int maxPacket() {
    return Math.max(mtu, MIN_MTU) - Encapsulation.overhead(IpAddresses.isIpv4(address));
  }

  /** The same place for flows under another name of its backend. */
  public Target renamed(String newName) {
    return newName.equals(name)
        ? this
        : new Target(index, generation, newName, weight, address, mtu, source);
  }

  /** The same backend with another weight, MTU or source. */
  public Target with(int newWeight, int newMtu, InetAddress newSource) {
    return newWeight == weight && newMtu == mtu && newSource.equals(source)
        ? this
        : new Target(index, generation, name, newWeight, address, newMtu, newSource);
  }
}
