package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Assigns indexes to targets: a released one if there is any, else the next unused number, so that
 * they stay dense. Each reuse of an index gets a new generation, so that flow tables notice. Owned
 * by the registry's thread.
 */
final class TargetIndexes {

  private final Deque<Target> released = new ArrayDeque<>();
  private int used;

  /**
   * Creates a target with an index that no other target has at the moment; for the parameters see
   * {@link Target}.
   */
  Target allocate(String name, int weight, InetAddress address, int mtu, InetAddress source) {
    Target before = released.poll();
    int index = before == null ? used++ : before.index();
    // Never 0, because an entry of zeros in a flow table is free.
    int generation = before == null ? 1 : before.generation() % (Target.GENERATIONS - 1) + 1;
    return new Target(index, generation, name, weight, address, mtu, source);
  }

  /** Releases the index of a target whose backend has left. */
  void release(Target target) {
    released.add(target);
  }
}
