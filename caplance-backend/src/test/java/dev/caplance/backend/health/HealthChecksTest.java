package dev.caplance.backend.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.health.CheckStatus.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several checks at once; the test is the application, and says what each look sees. */
class HealthChecksTest {

  private static final long PATIENCE_SECONDS = 60;
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private final Map<String, SynchronousQueue<Optional<String>>> looks = new ConcurrentHashMap<>();
  private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
  private HealthChecks checks;

  @AfterEach
  void close() {
    checks.close();
  }

  private void start(String... names) {
    List<CheckSettings> settings = new ArrayList<>();
    for (String name : names) {
      looks.put(name, new SynchronousQueue<>());
      settings.add(
          new CheckSettings(
              new CheckTarget.Command(List.of(name)),
              Duration.ofMillis(1),
              Duration.ofMillis(1),
              2,
              2));
    }
    checks =
        new HealthChecks(
            settings,
            (code, reason) -> told.add((code + " " + reason).strip()),
            (target, timeout) -> () -> looks.get(target.name()).take(),
            () -> NOW);
    checks.start();
  }

  private void look(String name, String error) throws InterruptedException {
    assertThat(
            looks
                .get(name)
                .offer(
                    error.isEmpty() ? Optional.empty() : Optional.of(error),
                    PATIENCE_SECONDS,
                    TimeUnit.SECONDS))
        .isTrue();
  }

  private String nextTold() throws InterruptedException {
    return told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  @Test
  void withoutChecksTheApplicationIsFit() throws Exception {
    start();
    assertThat(nextTold()).isEqualTo("200");
  }

  @Test
  void isFitWhenAllHaveSucceededOnce() throws Exception {
    start("a", "b");
    assertThat(nextTold()).isEqualTo("503 not checked yet");
    look("a", "");
    look("a", "");
    assertThat(told).isEmpty();
    look("b", "");
    assertThat(nextTold()).isEqualTo("200");
  }

  @Test
  void saysWhyItIsUnfitAndWhenThatIsAnotherReason() throws Exception {
    start("a", "b");
    assertThat(nextTold()).isEqualTo("503 not checked yet");
    look("b", "b is broken");
    assertThat(nextTold()).isEqualTo("503 b is broken");
    look("a", "a is broken");
    assertThat(nextTold()).isEqualTo("503 a is broken");
    look("a", "");
    look("a", "");
    assertThat(nextTold()).isEqualTo("503 b is broken");
    look("b", "b is still broken");
    assertThat(nextTold()).isEqualTo("503 b is still broken");
    look("b", "");
    look("b", "");
    assertThat(nextTold()).isEqualTo("200");
    look("b", "once");
    look("b", "");
    look("b", "first");
    look("b", "second");
    assertThat(nextTold()).isEqualTo("503 second");
  }

  @Test
  void tellsTheStateOfEach() throws Exception {
    start("a", "b");
    look("b", "broken");
    nextTold();
    assertThat(nextTold()).isEqualTo("503 broken");
    assertThat(checks.status())
        .containsExactly(
            new CheckStatus(
                new CheckTarget.Command(List.of("a")), State.UNKNOWN, NOW, Optional.empty()),
            new CheckStatus(
                new CheckTarget.Command(List.of("b")), State.UNFIT, NOW, Optional.of("broken")));
  }

  /** Both looks hang; closing breaks them off. */
  @Test
  void endsThoughALookHangs() {
    start("a", "b");
    checks.close();
    assertThat(looks.get("a").offer(Optional.empty())).isFalse();
    assertThat(looks.get("b").offer(Optional.empty())).isFalse();
  }
}
