package dev.caplance.backend.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.health.CheckStatus.State;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckTest {

  private static final CheckTarget TARGET = new CheckTarget.Command(List.of("check"));

  private Instant now = Instant.parse("2026-01-02T03:04:05Z");
  private final Check check = new Check(TARGET, 2, 3, () -> now);

  private void look(char result) {
    now = now.plusSeconds(5);
    check.looked(result == '+' ? Optional.empty() : Optional.of("error at " + now));
  }

  /** With rise 2 and fall 3. */
  @ParameterizedTest
  @CsvSource({
    "'', UNKNOWN",
    "+, FIT",
    "-, UNFIT",
    "+-, FIT",
    "+--, FIT",
    "+---, UNFIT",
    "+--+--, FIT",
    "+--+---, UNFIT",
    "-+, UNFIT",
    "-++, FIT",
    "-+-+, UNFIT",
    "-+-++, FIT",
    "-++--, FIT",
    "-++---, UNFIT",
  })
  void theFirstLookDecidesAndThenItTakesSomeInARow(String looks, State state) {
    looks.chars().forEach(look -> look((char) look));
    assertThat(check.status().state()).isEqualTo(state);
  }

  @Test
  void tellsWhenItsStateBegan() {
    look('+');
    Instant firstLook = now;
    look('-');
    look('-');
    assertThat(check.status().since()).isEqualTo(firstLook);
    look('-');
    assertThat(check.status().since()).isEqualTo(now);
  }

  @Test
  void tellsTheLastErrorUntilAllIsWell() {
    look('+');
    assertThat(check.status().lastError()).isEmpty();
    look('-');
    assertThat(check.status().lastError()).contains("error at " + now);
    look('+');
    assertThat(check.status().lastError()).isEmpty();
    look('-');
    look('-');
    look('-');
    Optional<String> last = check.status().lastError();
    look('+');
    assertThat(check.status().lastError()).isEqualTo(last);
    look('+');
    assertThat(check.status().lastError()).isEmpty();
  }
}
