package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Probes every two seconds; times are seconds since the registration. */
class PathWatchTest {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  /** Times may be negative, as those of System.nanoTime. */
  private static final long START = -3 * SECOND;

  private final PathWatch path = new PathWatch(Duration.ofSeconds(2), START);

  private static long at(double seconds) {
    return START + (long) (seconds * SECOND);
  }

  @Test
  void threeMissingProbesOfALoadBalancerThatTalksAreALostPath() {
    path.heard(at(0.1));
    assertThat(path.untilJudged(at(0.1))).isEqualTo(Long.MAX_VALUE);
    path.probed(at(2));
    path.heard(at(5.1));
    path.heard(at(6.1));
    assertThat(path.untilJudged(at(6.1))).isEqualTo(at(8.1) - at(6.1));
    assertThat(path.judge(at(8))).isFalse();
    assertThat(path.lost()).isFalse();
    assertThat(path.judge(at(8.1))).isTrue();
    assertThat(path.lost()).isTrue();
    assertThat(path.sinceLastProbe(at(8.1))).isEqualTo(Duration.ofMillis(6100));
    assertThat(path.judge(at(9))).as("said once").isFalse();
    assertThat(path.untilJudged(at(9))).isEqualTo(Long.MAX_VALUE);

    assertThat(path.probed(at(30))).isTrue();
    assertThat(path.lost()).isFalse();
    assertThat(path.probed(at(32))).isFalse();
  }

  @Test
  void aLoadBalancerThatStandsStillSaysNothingAboutThePath() {
    path.heard(at(0.1));
    assertThat(path.judge(at(13))).isFalse();
    path.heard(at(13)); // It goes on, and has yet to send the next probe.
    assertThat(path.judge(at(13))).isFalse();
    assertThat(path.untilJudged(at(13))).isEqualTo(2 * SECOND);
    assertThat(path.probed(at(14))).isFalse();
    assertThat(path.judge(at(15))).isFalse();
  }

  @Test
  void probesThatComeAreEnough() {
    for (int second = 1; second < 100; second++) {
      path.heard(at(second));
      if (second % 5 == 0) {
        path.probed(at(second));
      }
      assertThat(path.judge(at(second))).isFalse();
    }
  }
}
