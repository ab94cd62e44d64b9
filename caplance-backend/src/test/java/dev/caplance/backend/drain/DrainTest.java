package dev.caplance.backend.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.drain.DrainStatus.State;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One drain; the test is the kernel that counts, and the clock. */
class DrainTest {

  private static final int UNKNOWN = -1;

  private long now = Long.MAX_VALUE - 5;
  private int count;
  private int udpFlows;
  private Drain drain;

  private void begin(Duration deadline) {
    drain =
        new Drain(
            this::count, ServiceGap.none(() -> now), Optional.ofNullable(deadline), () -> now);
  }

  private OngoingFlows count(Duration heardWithin) throws IOException {
    if (count == UNKNOWN) {
      throw new IOException("no ss");
    }
    return new OngoingFlows(count, udpFlows);
  }

  private State countAgain(int connections) {
    count = connections;
    now += Duration.ofSeconds(1).toNanos();
    return drain.count();
  }

  @Test
  void isOverWhenThereHasBeenNoConnectionForAFewCounts() {
    begin(null);
    assertThat(countAgain(1)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(1)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINED);
  }

  @Test
  void waitsForUdpFlowsToo() {
    begin(null);
    udpFlows = 1;
    for (int i = 0; i < 10; i++) {
      assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    }
    udpFlows = 0;
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINED);
  }

  @Test
  void isOverAtTheDeadlineWhateverIsLeft() {
    begin(Duration.ofSeconds(3));
    assertThat(countAgain(9)).isEqualTo(State.DRAINING);
    assertThat(countAgain(UNKNOWN)).isEqualTo(State.DRAINING);
    assertThat(countAgain(9)).isEqualTo(State.DEADLINE);
  }

  @Test
  void whatCannotBeCountedIsNotTakenForGone() {
    begin(null);
    for (int i = 0; i < 100; i++) {
      assertThat(countAgain(UNKNOWN)).isEqualTo(State.DRAINING);
    }
    assertThat(drain.status().text()).isEqualTo("an unknown number of connections left");
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
    assertThat(countAgain(UNKNOWN)).isEqualTo(State.DRAINING);
    assertThat(countAgain(0)).isEqualTo(State.DRAINING);
  }

  @Test
  void tellsHowFarItIsAndWhatItCameTo() {
    begin(Duration.ofSeconds(221));
    countAgain(17);
    assertThat(drain.status().text()).isEqualTo("17 connections left, 3m40s to the deadline");
    assertThat(drain.end()).isNotDone();
    drain.end(State.DEADLINE);
    assertThat(drain.status())
        .isEqualTo(
            new DrainStatus(
                State.DEADLINE, Optional.of(new OngoingFlows(17, 0)), Optional.empty()));
    assertThat(drain.end()).isDone();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DRAINING  | 2 | 0 |         | 2 connections left",
        "DRAINING  | 1 | 0 | 1       | 1 connection left, 1s to the deadline",
        "DRAINING  | 0 | 0 | 59999   | no connections left, 1m to the deadline",
        "DRAINING  | 2 | 0 | 3600000 | 2 connections left, 1h to the deadline",
        "DRAINING  | 2 | 1 |         | 2 connections and 1 UDP flow left",
        "DRAINING  | 0 | 2 |         | 2 UDP flows left",
        "DRAINED   | 0 | 0 |         | all connections are gone",
        "DEADLINE  | 1 | 0 |         | the deadline has passed, 1 connection left",
        "CANCELLED | 0 | 0 |         | cancelled, no connections left",
      })
  void hasAWordForIt(State state, int connections, int udpFlows, Long millis, String text) {
    assertThat(
            new DrainStatus(
                    state,
                    Optional.of(new OngoingFlows(connections, udpFlows)),
                    Optional.ofNullable(millis).map(Duration::ofMillis))
                .text())
        .isEqualTo(text);
  }
}
