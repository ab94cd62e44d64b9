package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackendIntentTest {

  @ParameterizedTest
  @CsvSource({
    "ACTIVE, ACTIVE,",
    "ACTIVE, DRAINING,",
    "ACTIVE, PAUSED,",
    "ACTIVE, DEREGISTERED,",
    "DRAINING, ACTIVE,",
    "DRAINING, DRAINING,",
    "DRAINING, PAUSED,",
    "DRAINING, DEREGISTERED,",
    "PAUSED, ACTIVE,",
    "PAUSED, DRAINING, paused; resume it first",
    "PAUSED, PAUSED,",
    "PAUSED, DEREGISTERED,",
    "DEREGISTERED, ACTIVE,",
    "DEREGISTERED, DRAINING, deregistered; resume it first",
    "DEREGISTERED, PAUSED, deregistered; resume it first",
    "DEREGISTERED, DEREGISTERED,",
  })
  void mayFollow(BackendIntent now, BackendIntent next, String objection) {
    assertThat(now.objectionTo(next).orElse(null)).isEqualTo(objection);
  }
}
