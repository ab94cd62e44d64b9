package dev.caplance.backend.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.backend.health.HealthChecks.Status.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several checks at once; the test is the application, and decides how each attempt ends. */
class HealthChecksTest {

  private static final long PATIENCE_SECONDS = 60;
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private final Map<String, SynchronousQueue<Optional<String>>> attempts =
      new ConcurrentHashMap<>();
  private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
  private final Semaphore begun = new Semaphore(0);
  private final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();
  private final HealthChecks checks =
      new HealthChecks(this::tell, failures::add, this::checker, () -> NOW);
  private volatile RuntimeException listenerFailure;

  @AfterEach
  void close() {
    checks.close();
  }

  private void tell(int code, String reason) {
    if (listenerFailure != null) {
      throw listenerFailure;
    }
    told.add((code + " " + reason).strip());
  }

  private Checker checker(CheckTarget target, Duration timeout) {
    SynchronousQueue<Optional<String>> results =
        attempts.computeIfAbsent(target.name(), name -> new SynchronousQueue<>());
    return () -> {
      begun.release();
      return results.take();
    };
  }

  private static HealthChecks.Settings settings(String name) {
    return settings(name, 2);
  }

  private static HealthChecks.Settings settings(String name, int fall) {
    return new HealthChecks.Settings(
        new CheckTarget.Command(List.of(name)),
        Duration.ofMillis(1),
        Duration.ofMillis(1),
        2,
        fall);
  }

  private void apply(String... names) {
    checks.apply(Arrays.stream(names).map(HealthChecksTest::settings).toList());
  }

  private void attempt(String name, String error) throws InterruptedException {
    Optional<String> result = error.isEmpty() ? Optional.empty() : Optional.of(error);
    assertThat(attempts.get(name).offer(result, PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  private String nextTold() throws InterruptedException {
    return told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private HealthChecks.Status status(String name, State state, String lastError) {
    return new HealthChecks.Status(
        new CheckTarget.Command(List.of(name)), state, NOW, Optional.ofNullable(lastError));
  }

  @Test
  void withoutChecksTheApplicationIsSaidToBeHealthyAndWhy() throws Exception {
    apply();
    assertThat(nextTold()).isEqualTo("200 no checks");
  }

  @Test
  void isHealthyWhenAllHaveSucceededOnce() throws Exception {
    apply("a", "b");
    assertThat(nextTold()).isEqualTo("503 not checked yet");
    attempt("a", "");
    attempt("a", "");
    assertThat(told).isEmpty();
    attempt("b", "");
    assertThat(nextTold()).isEqualTo("200");
  }

  @Test
  void tellsWhyItIsUnhealthyAndWhenTheReasonChanges() throws Exception {
    apply("a", "b");
    assertThat(nextTold()).isEqualTo("503 not checked yet");
    attempt("b", "b is broken");
    assertThat(nextTold()).isEqualTo("503 b is broken");
    attempt("a", "a is broken");
    assertThat(nextTold()).isEqualTo("503 a is broken");
    attempt("a", "");
    attempt("a", "");
    assertThat(nextTold()).isEqualTo("503 b is broken");
    attempt("b", "b is still broken");
    assertThat(nextTold()).isEqualTo("503 b is still broken");
    attempt("b", "");
    attempt("b", "");
    assertThat(nextTold()).isEqualTo("200");
    attempt("b", "once");
    attempt("b", "");
    attempt("b", "first");
    attempt("b", "second");
    assertThat(nextTold()).isEqualTo("503 second");
  }

  @Test
  void tellsTheStateOfEach() throws Exception {
    apply("a", "b");
    attempt("b", "broken");
    nextTold();
    assertThat(nextTold()).isEqualTo("503 broken");
    assertThat(checks.status())
        .containsExactly(status("a", State.UNKNOWN, null), status("b", State.UNHEALTHY, "broken"));
  }

  // --- Other checks than before ---

  @Test
  void anUnchangedCheckKeepsItsStateAndANewOneStartsAsUnknown() throws Exception {
    apply("a");
    assertThat(nextTold()).isEqualTo("503 not checked yet");
    attempt("a", "");
    assertThat(nextTold()).isEqualTo("200");

    apply("b", "a");

    assertThat(nextTold()).isEqualTo("503 not checked yet");
    assertThat(checks.status())
        .containsExactly(status("b", State.UNKNOWN, null), status("a", State.HEALTHY, null));
    attempt("b", "");
    assertThat(nextTold()).isEqualTo("200");
    attempt("a", "one of two");
    attempt("a", "two of two");
    assertThat(nextTold()).as("its thread goes on").isEqualTo("503 two of two");
  }

  @Test
  void aCheckThatIsGoneNoLongerCountsAndEnds() throws Exception {
    apply("a", "b");
    attempt("a", "");
    attempt("b", "broken");
    nextTold();
    assertThat(nextTold()).isEqualTo("503 broken");
    await()
        .atMost(Duration.ofSeconds(PATIENCE_SECONDS))
        .until(() -> checks.status().contains(status("a", State.HEALTHY, null)));

    apply("a");

    assertThat(nextTold()).isEqualTo("200");
    assertThat(checks.status()).containsExactly(status("a", State.HEALTHY, null));
    await()
        .atMost(Duration.ofSeconds(PATIENCE_SECONDS))
        .until(() -> !attempts.get("b").offer(Optional.of("too late")));
    apply();
    assertThat(nextTold()).isEqualTo("200 no checks");
    assertThat(told).isEmpty();
  }

  @Test
  void aCheckWithOtherSettingsStartsAnew() throws Exception {
    apply("a");
    nextTold();
    attempt("a", "");
    assertThat(nextTold()).isEqualTo("200");
    checks.apply(List.of(settings("a", 1)));
    assertThat(nextTold()).isEqualTo("503 not checked yet");
  }

  @Test
  void theSameChecksAgainChangeNothing() throws Exception {
    apply("a", "a");
    nextTold();
    attempt("a", "");
    List<HealthChecks.Status> before = checks.status();
    apply("a", "a");
    assertThat(checks.status()).isEqualTo(before).hasSize(2);
    assertThat(told).isEmpty();
  }

  // --- Failures ---

  @Test
  void anAttemptThatCannotBeMadeHasFailed() throws Exception {
    HealthChecks unusable =
        new HealthChecks(
            this::tell,
            failures::add,
            (target, timeout) ->
                () -> {
                  throw new IllegalStateException("a bug");
                },
            () -> NOW);
    try {
      unusable.apply(List.of(settings("a")));
      assertThat(nextTold()).isEqualTo("503 not checked yet");
      assertThat(nextTold())
          .isEqualTo("503 command a: unexpected failure: java.lang.IllegalStateException: a bug");
      assertThat(failures).isEmpty();
    } finally {
      unusable.close();
    }
  }

  @Test
  void theOwnerHearsWhenTheThreadOfACheckEnds() throws Exception {
    apply("a");
    nextTold();
    listenerFailure = new IllegalStateException("nobody listens");
    attempt("a", "");
    assertThat(failures.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isSameAs(listenerFailure);
  }

  /** Both attempts hang; closing interrupts them. */
  @Test
  void endsThoughAnAttemptHangs() throws Exception {
    apply("a", "b");
    assertThat(begun.tryAcquire(2, PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    checks.close();
    assertThat(attempts.get("a").offer(Optional.empty())).isFalse();
    assertThat(attempts.get("b").offer(Optional.empty())).isFalse();
    assertThat(failures).as("nobody needs to hear of a wanted end").isEmpty();
  }
}
