package dev.caplance.preflight.firewall;

import dev.caplance.preflight.firewall.Table.Chain;
import dev.caplance.preflight.firewall.Table.Rule;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * A packet's path through the chains of a table, on every branch that it may take. It is certain to
 * be dropped if every branch drops it.
 */
final class Walk {

  /** The kernel does not allow deeper nesting of jumps. */
  private static final int DEEPEST = 64;

  private enum End {
    ACCEPTED,
    DROPPED,
    /** It continues with the next rule of the chain. */
    NEXT,
    /** It leaves the chain, to where that was jumped to from or to the policy. */
    LEFT
  }

  private final Table table;
  private final PacketSample sample;
  private String lastDrop = "";

  Walk(Table table, PacketSample sample) {
    this.table = table;
    this.sample = sample;
  }

  /** The rule or policy that certainly drops a packet which enters this base chain. */
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
      Certainty matches = rule.condition().test(sample);
      if (matches == Certainty.NO) {
        continue;
      }
      Set<End> after = after(rule, depth);
      boolean over = matches == Certainty.YES && !after.contains(End.NEXT);
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
    if (action instanceof Action.Accept || action instanceof Action.Translate) {
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
