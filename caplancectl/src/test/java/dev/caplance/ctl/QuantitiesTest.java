package dev.caplance.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantitiesTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 0",
        "999 | 999",
        "1000 | 1,000",
        "12345 | 12,345",
        "9223372036854775807 | 9,223,372,036,854,775,807",
        "-1 | -1",
        "-123 | -123",
        "-1234 | -1,234",
      })
  void counts(long count, String text) {
    assertThat(Quantities.count(count)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "999, 999 B",
    "1000, 1.0 kB",
    "1234, 1.2 kB",
    "999999, 999.9 kB",
    "1000000, 1.0 MB",
    "9876543, 9.8 MB",
    "1234567890, 1.2 GB",
    "1234567890123, 1.2 TB",
    "9223372036854775807, 9.2 EB",
  })
  void bytes(long bytes, String text) {
    assertThat(Quantities.bytes(bytes)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.0 s",
    "1234, 1.2 s",
    "59999, 59.9 s",
    "60000, 1 min",
    "250000, 4 min 10 s",
    "3600000, 1 h",
    "11520000, 3 h 12 min",
    "86400000, 1 d",
    "442800000, 5 d 3 h",
  })
  void spans(long millis, String text) {
    assertThat(Quantities.span(millis)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "2026-01-02T13:03:11Z, 14:03:11",
    "2026-01-02T13:03:00Z, 14:03:00",
    "2026-01-02T13:03:11.999Z, 14:03:11",
    "2026-01-01T23:00:00Z, 00:00:00",
    "2026-01-01T22:59:59Z, 2026-01-01 23:59:59",
  })
  void timesInTheZoneOfTheReader(Instant instant, String text) {
    assertThat(Quantities.time(instant, Samples.CLOCK)).isEqualTo(text);
  }

  @Test
  void spansSinceATime() {
    Instant earlier = Instant.parse("2026-01-02T15:23:56Z");
    assertThat(Quantities.spanSince(earlier, Samples.CLOCK)).isEqualTo("4.0 s");
    Instant later = Instant.parse("2030-01-01T00:00:00Z");
    assertThat(Quantities.spanSince(later, Samples.CLOCK)).isEqualTo("0.0 s");
    assertThat(Quantities.spanSince(null, Samples.CLOCK)).isEmpty();
  }

  @Test
  void whatIsUnknownStaysEmpty() {
    assertThat(Quantities.count(null)).isEmpty();
    assertThat(Quantities.bytes(null)).isEmpty();
    assertThat(Quantities.span(null)).isEmpty();
    assertThat(Quantities.ago(null)).isEmpty();
    assertThat(Quantities.time(null, Samples.CLOCK)).isEmpty();
    assertThat(Quantities.ratio(null, 1L)).isEmpty();
    assertThat(Quantities.ratio(1L, 0L)).isEmpty();
    assertThat(Quantities.percent(null, 1)).isEmpty();
    assertThat(Quantities.percent(1, 0)).isEmpty();
  }

  @Test
  void percentAreRounded() {
    assertThat(Quantities.percent(0, 65_537)).isEqualTo("0.0 %");
    assertThat(Quantities.percent(1, 3)).isEqualTo("33.3 %");
    assertThat(Quantities.percent(2, 3)).isEqualTo("66.7 %");
    assertThat(Quantities.percent(65_537, 65_537)).isEqualTo("100.0 %");
  }
}
