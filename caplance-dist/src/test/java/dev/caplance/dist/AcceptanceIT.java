package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A short round of {@code scripts/acceptance.sh}: each fault once. */
class AcceptanceIT {

  private static final String PARTS = "B1,B2,B3,B9,B11,A2,C1";

  @Test
  void noFaultCostsMoreThanIsPromised() {
    Lab.Result result = Lab.runAlone("acceptance.sh", "--quick", "--no-build", "--only", PARTS);
    assertThat(result.out())
        .as("standard error: %s", result.err())
        .contains("everything passed")
        .doesNotContain("FAIL", "caplance-lab");
    assertThat(result.exit()).isZero();
  }
}
