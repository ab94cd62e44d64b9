package dev.caplance.backend.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.health.HealthChecks.Status.State;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HealthCheckTest {

  private static final HealthChecks.Settings SETTINGS =
      new HealthChecks.Settings(
          new CheckTarget.Command(List.of("check")),
          Duration.ofSeconds(5),
          Duration.ofSeconds(2),
          2,
          3);

  private Instant now = Instant.parse("2026-01-02T03:04:05Z");
  private final HealthCheck check = new HealthCheck(SETTINGS, () -> now);

  private void attempt(char result) {
    now = now.plusSeconds(5);
    check.attempted(result == '+' ? Optional.empty() : Optional.of("error at " + now));
  }

  /** With rise 2 and fall 3. */
  @ParameterizedTest
  @CsvSource({
    "'', UNKNOWN",
    "+, HEALTHY",
    "-, UNHEALTHY",
    "+-, HEALTHY",
    "+--, HEALTHY",
    "+---, UNHEALTHY",
    "+--+--, HEALTHY",
    "+--+---, UNHEALTHY",
    "-+, UNHEALTHY",
    "-++, HEALTHY",
    "-+-+, UNHEALTHY",
    "-+-++, HEALTHY",
    "-++--, HEALTHY",
    "-++---, UNHEALTHY",
  })
  void theFirstAttemptDecidesAndThenItTakesSomeInARow(String attempts, State state) {
    attempts.chars().forEach(attempt -> attempt((char) attempt));
    assertThat(check.status().state()).isEqualTo(state);
  }

  @Test
  void tellsWhenItsStateBegan() {
    attempt('+');
    Instant firstAttempt = now;
    attempt('-');
    attempt('-');
    assertThat(check.status().since()).isEqualTo(firstAttempt);
    attempt('-');
    assertThat(check.status().since()).isEqualTo(now);
  }

  @Test
  void tellsTheLastErrorUntilAllIsWell() {
    attempt('+');
    assertThat(check.status().lastError()).isEmpty();
    attempt('-');
    assertThat(check.status().lastError()).contains("error at " + now);
    attempt('+');
    assertThat(check.status().lastError()).isEmpty();
    attempt('-');
    attempt('-');
    attempt('-');
    Optional<String> last = check.status().lastError();
    attempt('+');
    assertThat(check.status().lastError()).isEqualTo(last);
    attempt('+');
    assertThat(check.status().lastError()).isEmpty();
  }
}
