package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import java.util.Arrays;
import java.util.List;

/**
 * What workers forward by: a table, and the state of each of its targets. Immutable; workers take
 * it as a whole at the beginning of a batch.
 */
final class Routes {

  final ForwardingTable table;
  private final TargetState[] states;

  private Routes(ForwardingTable table, TargetState[] states) {
    this.table = table;
    this.states = states;
  }

  /** Without any targets. */
  static Routes of(ForwardingTable table) {
    return new Routes(table, new TargetState[0]);
  }

  /**
   * Those of a new table. Targets that were here before keep their state, also while the table does
   * not have them, until another backend gets their index.
   */
  Routes next(ForwardingTable newTable, int dataPort, int workers) {
    List<Target> targets = newTable.targets();
    int size = targets.isEmpty() ? 0 : targets.get(targets.size() - 1).index() + 1;
    TargetState[] next = Arrays.copyOf(states, Math.max(size, states.length));
    for (Target target : targets) {
      TargetState known = find(target);
      if (known == null) {
        next[target.index()] = new TargetState(target, dataPort, workers);
      } else {
        known.update(target);
      }
    }
    return new Routes(newTable, next);
  }

  /** The state of a target of the table. */
  TargetState state(Target target) {
    return states[target.index()];
  }

  /** The state of a target, or null when it has none. */
  TargetState find(Target target) {
    TargetState state = target.index() < states.length ? states[target.index()] : null;
    return state != null && state.isOf(target) ? state : null;
  }
}
