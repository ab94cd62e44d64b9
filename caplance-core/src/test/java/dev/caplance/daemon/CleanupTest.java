package dev.caplance.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.CapturedLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CleanupTest {

  private final List<String> taken = new ArrayList<>();
  private final Cleanup cleanup = new Cleanup();

  @Test
  void takesAllStepsOnceInTheOppositeOrderWhateverFails() {
    cleanup.atStop("take the first step", () -> taken.add("first"));
    cleanup.atStop(
        "take the second step",
        () -> {
          taken.add("second");
          throw new IOException("it is stuck");
        });
    cleanup.atStop(
        "take the third step",
        () -> {
          taken.add("third");
          throw new IllegalStateException("it is broken");
        });
    try (CapturedLog log = new CapturedLog(Cleanup.class)) {
      cleanup.run();
      cleanup.run();
      assertThat(log.lines())
          .containsExactly(
              "ERROR cannot take the third step: it is broken",
              "ERROR cannot take the second step: it is stuck");
    }
    assertThat(taken).containsExactly("third", "second", "first");
  }
}
