package dev.caplance.lb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class HeapNeedTest {

  /** What {@code scripts/caplance} gives a daemon. */
  private static long launched(String option) throws IOException {
    String script = Files.readString(Path.of("../scripts/caplance"));
    return Pattern.compile(option + "(\\d+)m")
        .matcher(script)
        .results()
        .map(MatchResult::group)
        .map(text -> text.replaceAll("\\D", ""))
        .mapToLong(Long::parseLong)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theDefaultsFitIntoTheHeapOfTheStart() throws IOException {
    assertThat(HeapNeed.megabytes(1000, 1, 65_537)).isLessThan(launched("-Xms"));
  }

  @Test
  void manyBackendsAndServicesFitIntoTheLargestHeap() throws IOException {
    assertThat(HeapNeed.megabytes(10_000, 500, 65_537)).isLessThan(launched("-Xmx"));
    assertThat(HeapNeed.megabytes(1000, 1000, 65_537)).isGreaterThan(launched("-Xmx"));
  }
}
