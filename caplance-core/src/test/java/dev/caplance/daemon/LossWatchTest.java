package dev.caplance.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.CapturedLog;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.TrafficCounter;
import dev.caplance.packet.TrafficCounters;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LossWatchTest {

  private final CapturedLog log = new CapturedLog(LossWatch.class);
  private long nanos;
  private long full;
  private long refused;
  private final LossWatch watch =
      new LossWatch(
          () ->
              List.of(
                  new LossWatch.Counter("queue full", "There was no room.", full),
                  new LossWatch.Counter("send failed", "The kernel refused it.", refused)),
          () -> nanos);

  @AfterEach
  void release() {
    log.close();
  }

  private void lookAfter(Duration time) {
    nanos += time.toNanos();
    watch.look();
  }

  @Test
  void whatDoesNotGrowIsNoNews() {
    watch.look();
    lookAfter(Duration.ofHours(1));
    assertThat(log.lines()).isEmpty();
  }

  @Test
  void growthIsNewsAtOnceAndThenOnceAMinuteWithAllOfIt() {
    watch.look();
    full = 6808;
    refused = 2;
    lookAfter(Duration.ofSeconds(2));
    for (int second = 2; second <= 120; second += 2) {
      full++;
      lookAfter(Duration.ofSeconds(2));
    }
    assertThat(log.lines())
        .containsExactly(
            "WARN packets of clients are lost. 6808 \"queue full\": There was no room."
                + " 2 \"send failed\": The kernel refused it.",
            "WARN packets of clients are lost. 30 \"queue full\": There was no room.",
            "WARN packets of clients are lost. 30 \"queue full\": There was no room.");
  }

  @Test
  void afterAMinuteWithoutLossTheNextIsNewsAtOnce() {
    full = 1;
    watch.look();
    lookAfter(Duration.ofMinutes(1));
    full = 4;
    lookAfter(Duration.ofSeconds(2));
    assertThat(log.lines()).hasSize(2).last().asString().contains(" 3 \"queue full\"");
  }

  @Test
  void aCounterThatBeginsAnewCountsFromZero() {
    full = 10;
    watch.look();
    full = 3;
    lookAfter(Duration.ofMinutes(1));
    assertThat(log.lines()).last().asString().contains(" 3 \"queue full\"");
  }

  @Test
  void addsUpWhatTheThreadsThatCarryPacketsCounted() {
    TrafficCounters first = new TrafficCounters();
    TrafficCounters second = new TrafficCounters();
    first.refused(Disposition.SEND_FAILED, 2);
    second.refused(Disposition.SEND_FAILED, 3);
    second.refused(Disposition.MALFORMED, 9);
    assertThat(
            LossWatch.ofTraffic(
                List.of(first.snapshot(), second.snapshot()),
                List.of(Disposition.SEND_FAILED),
                List.of(TrafficCounter.RECEIVE_ERRORS)))
        .containsExactly(
            new LossWatch.Counter("send failed", Disposition.SEND_FAILED.description(), 5),
            new LossWatch.Counter("receive errors", "System calls that failed to receive.", 0));
  }
}
