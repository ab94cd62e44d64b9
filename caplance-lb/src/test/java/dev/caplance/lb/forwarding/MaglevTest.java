package dev.caplance.lb.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MaglevTest {

  private static final int SIZE = Maglev.DEFAULT_SIZE;

  private static int[] equalWeights(int backends) {
    int[] weights = new int[backends];
    Arrays.fill(weights, 1);
    return weights;
  }

  private static char[] table(List<String> names, int size) {
    return Maglev.table(names, equalWeights(names.size()), size);
  }

  private static int[] numbers(char[] slots) {
    return new String(slots).chars().toArray();
  }

  private static int[] shares(char[] slots, int backends) {
    int[] shares = new int[backends];
    for (char slot : slots) {
      shares[slot]++;
    }
    return shares;
  }

  private static List<String> randomNames(SplittableRandom random, int count) {
    TreeSet<String> names = new TreeSet<>();
    while (names.size() < count) {
      names.add("backend-" + Long.toString(random.nextLong() >>> 1, 36));
    }
    return new ArrayList<>(names);
  }

  /** The vector by which other implementations of the protocol check theirs. */
  @Test
  void givesTheDesignsTable() {
    List<String> names = IntStream.rangeClosed(90, 95).mapToObj(i -> "127.0.0.1:" + i).toList();
    assertThat(numbers(table(names, 7))).containsExactly(2, 4, 0, 1, 5, 0, 3);
  }

  /**
   * Table 1 of the paper: offsets 3, 0, 3 and skips 4, 2, 1 for M = 7, with all three backends, and
   * without B1.
   */
  @Test
  void fillsLikeThePapersExample() {
    assertThat(numbers(Maglev.fill(new int[] {3, 0, 3}, new int[] {4, 2, 1}, equalWeights(3), 7)))
        .containsExactly(1, 0, 1, 0, 2, 2, 0);
    assertThat(numbers(Maglev.fill(new int[] {3, 3}, new int[] {4, 1}, equalWeights(2), 7)))
        .containsExactly(0, 0, 0, 0, 1, 1, 1);
  }

  @Test
  void oneBackendHasAllSlots() {
    assertThat(shares(table(List.of("only"), SIZE), 1)).containsExactly(SIZE);
  }

  /** Turns are taken in order, so that shares differ by one slot at most. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 10, 100, 1000})
  void sharesSlotsEvenly(int backends) {
    SplittableRandom random = new SplittableRandom(backends);
    int[] shares = shares(table(randomNames(random, backends), SIZE), backends);
    assertThat(Arrays.stream(shares).max().orElseThrow())
        .isLessThanOrEqualTo(Arrays.stream(shares).min().orElseThrow() + 1);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void aDepartureMovesFewSlotsBetweenThoseThatStay(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int backends = 3 + random.nextInt(60);
    List<String> names = randomNames(random, backends);
    int gone = random.nextInt(backends);
    List<String> rest = new ArrayList<>(names);
    rest.remove(gone);
    char[] before = table(names, SIZE);
    char[] after = table(rest, SIZE);

    int moved = 0;
    for (int slot = 0; slot < SIZE; slot++) {
      boolean stayed = before[slot] != gone;
      if (stayed && !names.get(before[slot]).equals(rest.get(after[slot]))) {
        moved++;
      }
    }
    assertThat(moved / (double) SIZE).isLessThan(0.06);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void weightsAreSharesOfTheSlots(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int backends = 2 + random.nextInt(20);
    int[] weights = random.ints(backends, 1, 257).toArray();
    int[] shares = shares(Maglev.table(randomNames(random, backends), weights, SIZE), backends);
    double total = Arrays.stream(weights).sum();
    for (int i = 0; i < backends; i++) {
      assertThat(shares[i] / (double) SIZE)
          .as("backend %d of weight %d", i, weights[i])
          .isBetween(weights[i] / total - 0.005, weights[i] / total + 0.005);
    }
  }

  @Test
  void equalWeightsOfAnySizeGiveTheSameTable() {
    List<String> names = randomNames(new SplittableRandom(9), 7);
    int[] heavy = new int[7];
    Arrays.fill(heavy, 256);
    assertThat(Maglev.table(names, heavy, SIZE)).isEqualTo(table(names, SIZE));
  }
}
