package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.Maglev;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How many answers of each backend are as many as its weight promises. */
final class Spread {

  /** Of a million runs fewer than one lies beyond, as long as some hundred answers are counted. */
  private static final int STANDARD_DEVIATIONS = 5;

  private Spread() {}

  /**
   * Source ports are spread over the slots by the hash, so the answers of a backend are binomially
   * distributed around its share of the slots.
   *
   * @param answers of each backend
   * @param total of them
   * @param weights of the backends, which all must have answered, and nobody else
   */
  static void assertAsPromised(
      Map<String, Integer> answers, int total, Map<String, Integer> weights) {
    TreeMap<String, Integer> sorted = new TreeMap<>(weights);
    List<String> names = List.copyOf(sorted.keySet());
    assertThat(answers).containsOnlyKeys(names);
    assertThat(answers.values().stream().mapToInt(count -> count).sum()).isEqualTo(total);
    int[] inOrder = sorted.values().stream().mapToInt(weight -> weight).toArray();
    char[] slots = Maglev.table(names, inOrder, Maglev.DEFAULT_SIZE);
    for (int i = 0; i < inOrder.length; i++) {
      int index = i;
      double share =
          new String(slots).chars().filter(slot -> slot == index).count() / (double) slots.length;
      double deviation = STANDARD_DEVIATIONS * Math.sqrt(total * share * (1 - share));
      assertThat((double) answers.get(names.get(i)))
          .as("answers of %s", names.get(i))
          .isBetween(total * share - deviation, total * share + deviation);
    }
  }
}
