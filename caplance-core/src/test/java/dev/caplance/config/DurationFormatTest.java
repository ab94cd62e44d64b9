package dev.caplance.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationFormatTest {

  @ParameterizedTest
  @CsvSource({
    "500ms, PT0.5S",
    "1500ms, PT1.5S",
    "0s, PT0S",
    "30s, PT30S",
    "5m, PT5M",
    "3m40s, PT3M40S",
    "2h, PT2H",
    "1h5s, PT1H5S",
    "999999999h, PT999999999H",
  })
  void readsWhatItWrites(String text, Duration duration) {
    assertThat(DurationFormat.parse(text)).isEqualTo(duration);
    assertThat(DurationFormat.format(duration)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"90s, 1m30s", "120m, 2h", "05s, 5s", "1s500ms, 1500ms", "0ms, 0s", "3600000ms, 1h"})
  void writesTheSameDurationInOneWay(String text, String written) {
    assertThat(DurationFormat.format(DurationFormat.parse(text))).isEqualTo(written);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "30",
        "s",
        "30 s",
        "1.5s",
        "-1s",
        "30S",
        "30sec",
        "30s1m",
        "1m1m",
        "9999999999s",
        "٣s"
      })
  void refusesOtherTexts(String text) {
    assertThatThrownBy(() -> DurationFormat.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("'%s' is not a duration; write a number and its unit: 500ms, 30s, 5m", text);
  }
}
