package dev.caplance.preflight.firewall;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * A packet's way through the chains of a table, on every branch that it may take. It is sure to be
 * dropped when all branches end so.
 */
final class Walk {

  /** The kernel does not allow more jumps in each other than this. */
  private static final int DEEPEST = 64;

  private enum End {
    ACCEPTED,
    DROPPED,
    /** The rule that follows in the chain is next. */
    NEXT,
    /** The chain is left, to where it was jumped from or to the policy. */
    LEFT
  }

  private final Table table;
  private final PacketSample probe;
  private String lastDrop = "";

  Walk(Table table, PacketSample probe) {
    this.table = table;
    this.probe = probe;
  }

  /** The rule, or the policy, that is sure to drop a packet which comes to this base chain. */
  Optional<String> findDrop(Chain base) {
    Set<End> ends = walk(base, 0);
    if (ends.remove(End.LEFT)) {
      ends.add(base.drops() ? End.DROPPED : End.ACCEPTED);
      lastDrop = "policy DROP";
    }
    return ends.equals(EnumSet.of(End.DROPPED)) ? Optional.of(lastDrop) : Optional.empty();
  }

  private Set<End> walk(Chain chain, int depth) {
    Set<End> ends = EnumSet.noneOf(End.class);
    for (Rule rule : chain.rules()) {
      Answer matches = rule.condition().test(probe);
      if (matches == Answer.NO) {
        continue;
      }
      Set<End> after = after(rule, depth);
      boolean over = matches == Answer.YES && !after.contains(End.NEXT);
      after.remove(End.NEXT);
      ends.addAll(after);
      if (over) {
        return ends;
      }
    }
    ends.add(End.LEFT);
    return ends;
  }

  private Set<End> after(Rule rule, int depth) {
    Action action = rule.action();
    if (action instanceof Action.Drop) {
      lastDrop = rule.text();
      return EnumSet.of(End.DROPPED);
    }
    if (action instanceof Action.Visit visit) {
      return visit(visit, depth + 1);
    }
    if (action instanceof Action.Accept) {
      return EnumSet.of(End.ACCEPTED);
    }
    if (action instanceof Action.Return) {
      return EnumSet.of(End.LEFT);
    }
    return action instanceof Action.Pass
        ? EnumSet.of(End.NEXT)
        : EnumSet.of(End.ACCEPTED, End.DROPPED, End.NEXT);
  }

  private Set<End> visit(Action.Visit visit, int depth) {
    Chain chain = table.chains().get(visit.chain());
    if (chain == null || depth > DEEPEST) {
      return EnumSet.of(End.ACCEPTED, End.DROPPED, End.NEXT);
    }
    Set<End> ends = walk(chain, depth);
    if (!visit.forGood() && ends.remove(End.LEFT)) {
      ends.add(End.NEXT);
    }
    return ends;
  }
}
