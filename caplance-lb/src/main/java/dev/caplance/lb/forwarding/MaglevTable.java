package dev.caplance.lb.forwarding;

import java.util.List;

/**
 * The Maglev table of a list of targets: the target that gets new flows, for each slot that they
 * can hash to. Immutable.
 */
public final class MaglevTable {

  private final Shape shape;
  private final char[] owners;

  private MaglevTable(Shape shape, char[] owners) {
    this.shape = shape;
    this.owners = owners;
  }

  /**
   * The names and weights, which alone determine a table of a given size: lists of targets with
   * equal shapes share one.
   */
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
   * @param slots a prime; the table of a shape without targets has no slots
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

  /** The number of slots; 0 if no target gets new flows. */
  public int slots() {
    return owners.length;
  }

  /** The owner of a slot, as its position in the list of targets. */
  public int owner(int slot) {
    return owners[slot];
  }
}
