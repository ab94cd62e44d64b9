package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BackoffTest {

  private static final Duration INITIAL = Duration.ofSeconds(1);
  private static final Duration MAX = Duration.ofSeconds(30);

  @Test
  void doublesUpToTheMaximumAndStartsOver() {
    RandomGenerator noJitter = () -> 0;
    Backoff backoff = new Backoff(INITIAL, MAX, noJitter);

    assertThat(Stream.generate(backoff::next).limit(8).map(Duration::toSeconds))
        .containsExactly(1L, 2L, 4L, 8L, 16L, 30L, 30L, 30L);
    backoff.reset();
    assertThat(backoff.next()).isEqualTo(INITIAL);
  }

  @Test
  void isShortenedByUpToAHalf() {
    Backoff backoff = new Backoff(MAX, MAX, new SplittableRandom(1));

    Duration[] pauses = Stream.generate(backoff::next).limit(1000).toArray(Duration[]::new);

    assertThat(pauses).allMatch(p -> p.compareTo(MAX) <= 0 && p.compareTo(MAX.dividedBy(2)) >= 0);
    assertThat(pauses).anyMatch(p -> p.compareTo(Duration.ofSeconds(16)) < 0);
    assertThat(pauses).anyMatch(p -> p.compareTo(Duration.ofSeconds(29)) > 0);
  }

  @Test
  void growsFromAnInitialPauseThatIsTheMaximum() {
    Backoff backoff = new Backoff(MAX, MAX, () -> 0);
    assertThat(Stream.generate(backoff::next).limit(3)).containsOnly(MAX);
  }
}
