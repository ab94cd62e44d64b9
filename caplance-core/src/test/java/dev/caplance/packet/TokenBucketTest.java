package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenBucketTest {

  private static final long SECOND = 1_000_000_000;
  private static final long START = -5 * SECOND; // A nano clock may be negative.

  private static int takeAll(TokenBucket bucket, long now) {
    int taken = 0;
    while (taken < 1000 && bucket.take(now)) {
      taken++;
    }
    return taken;
  }

  @Test
  void givesSoManyInEachSecond() {
    TokenBucket bucket = TokenBucket.perSecond(3, START);
    assertThat(takeAll(bucket, START)).isEqualTo(3);
    assertThat(takeAll(bucket, START + SECOND - 1)).isZero();
    assertThat(takeAll(bucket, START + SECOND)).isEqualTo(3);
    assertThat(takeAll(bucket, START + 7 * SECOND + SECOND / 2)).isEqualTo(3);
    assertThat(takeAll(bucket, START + 8 * SECOND)).isEqualTo(3);
  }

  @Test
  void refillsUpToABurst() {
    TokenBucket bucket = new TokenBucket(5, 2, SECOND, 0);
    assertThat(takeAll(bucket, 0)).isEqualTo(5);
    assertThat(takeAll(bucket, SECOND)).isEqualTo(2);
    assertThat(takeAll(bucket, 3 * SECOND)).isEqualTo(4);
    assertThat(takeAll(bucket, 1_000_000_000 * SECOND)).isEqualTo(5);
  }
}
