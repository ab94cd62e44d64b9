package dev.caplance.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BatchLimitTest {

  private final BatchLimit limit = new BatchLimit(256, 8);

  @Test
  void isLowWhileMostMessagesAreLarge() {
    assertThat(limit.next()).isEqualTo(256);
    limit.carried(8, 5);
    assertThat(limit.next()).isEqualTo(8);
    limit.carried(8, 4);
    assertThat(limit.next()).isEqualTo(256);
  }

  @Test
  void anIdleMomentDoesNotLowerIt() {
    limit.carried(0, 0);
    assertThat(limit.next()).isEqualTo(256);
    limit.carried(8, 8);
    limit.carried(0, 0);
    assertThat(limit.next()).isEqualTo(256);
  }
}
