package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Target;
import java.util.Arrays;
import java.util.List;

/**
 * What workers forward with: a table and the state of each of its targets. Immutable; a worker
 * reads it once per batch.
 */
final class Routes {

  final ForwardingTable table;
  private final TargetState[] states;

  private Routes(ForwardingTable table, TargetState[] states) {
    this.table = table;
    this.states = states;
  }

  /** Creates routes without targets. */
  static Routes of(ForwardingTable table) {
    return new Routes(table, new TargetState[0]);
  }

  /**
   * Creates the routes of a new table. Known targets keep their state, even while no table has
   * them, until another backend gets their index.
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

  /** The state of a target, or null if it has none. */
  TargetState find(Target target) {
    TargetState state = target.index() < states.length ? states[target.index()] : null;
    return state != null && state.isOf(target) ? state : null;
  }
}
