package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RateLimitTest {

  @Test
  void givesSoManyInEachSecond() {
    RateLimit limit = new RateLimit(3);
    for (int second : new int[] {0, 1, 7}) {
      for (int i = 0; i < 3; i++) {
        assertThat(limit.take(second)).isTrue();
      }
      assertThat(limit.take(second)).isFalse();
      assertThat(limit.take(second)).isFalse();
    }
  }
}
