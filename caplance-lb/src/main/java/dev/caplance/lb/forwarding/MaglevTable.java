package dev.caplance.lb.forwarding;

import java.util.List;

/**
 * The Maglev table of a list of targets: for each slot, which of them gets the new flows that hash
 * there. Immutable.
 */
public final class MaglevTable {

  private final Shape shape;
  private final char[] owners;

  private MaglevTable(Shape shape, char[] owners) {
    this.shape = shape;
    this.owners = owners;
  }

  /** What a table of a given size depends on: lists of targets with equal shapes share a table. */
  record Shape(List<String> names, List<Integer> weights) {
    static Shape of(List<Target> targets) {
      return new Shape(
          targets.stream().map(Target::name).toList(),
          targets.stream().map(Target::weight).toList());
    }
  }

  /**
   * Builds a table.
   *
   * @param slots a prime; a shape without targets has a table without slots
   */
  static MaglevTable of(Shape shape, int slots) {
    return new MaglevTable(
        shape,
        shape.names.isEmpty()
            ? new char[0]
            : Maglev.table(
                shape.names, shape.weights.stream().mapToInt(Integer::intValue).toArray(), slots));
  }

  Shape shape() {
    return shape;
  }

  /** 0 when nobody gets new flows. */
  public int slots() {
    return owners.length;
  }

  /** The position in the list of targets of the one that has a slot. */
  public int owner(int slot) {
    return owners[slot];
  }
}
