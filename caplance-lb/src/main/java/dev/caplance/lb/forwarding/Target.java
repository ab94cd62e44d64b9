package dev.caplance.lb.forwarding;

import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;

/**
 * A registered backend as a data plane knows it. A change is a new target with the same {@link
 * #id}.
 *
 * @param index 0 to 65,534, dense: the index of a backend that has left is used again, so data
 *     planes may keep what they know of targets in arrays
 * @param generation 0 to 65,535; tells the backends apart that have had an index one after the
 *     other
 * @param name of the backend
 * @param weight its share of new flows in proportion to others, 1 to 256
 * @param address its data address, which encapsulated packets go to
 * @param mtu bytes of the largest encapsulated packet on the path to it
 */
public record Target(
    int index, int generation, String name, int weight, InetAddress address, int mtu) {

  private static final int GENERATION_BITS = 16;

  /** How many generations an index has before they begin again. */
  public static final int GENERATIONS = 1 << GENERATION_BITS;

  /** Index and generation in one number, as flow tables keep it. */
  public int id() {
    return index << GENERATION_BITS | generation;
  }

  /** The index of the target with an id. */
  public static int indexOf(int id) {
    return id >>> GENERATION_BITS;
  }

  /** Bytes of the largest client packet that gets there without being fragmented. */
  public int maxPacket() {
    return mtu - Encapsulation.overhead(IpAddresses.isIpv4(address));
  }

  /** The same backend with another weight and MTU. */
  public Target with(int newWeight, int newMtu) {
    return newWeight == weight && newMtu == mtu
        ? this
        : new Target(index, generation, name, newWeight, address, newMtu);
  }
}
