package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Gives targets their indexes: the smallest numbers that do, each with a generation that grows when
 * the index is used again, so that flow tables notice. Owned by the registry's thread.
 */
final class TargetIndexes {

  private final Deque<Target> released = new ArrayDeque<>();
  private int used;

  /** A target with an index that no other one has now; for the parameters see {@link Target}. */
  Target allocate(String name, int weight, InetAddress address, int mtu) {
    Target before = released.poll();
    int index = before == null ? used++ : before.index();
    // Never 0: a flow table's entry of zeros is a free one.
    int generation = before == null ? 1 : before.generation() % (Target.GENERATIONS - 1) + 1;
    return new Target(index, generation, name, weight, address, mtu);
  }

  /** The target's backend has left. */
  void release(Target target) {
    released.add(target);
  }
}
