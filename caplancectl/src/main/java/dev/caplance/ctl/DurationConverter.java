package dev.caplance.ctl;

import dev.caplance.config.DurationFormat;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a time to wait: above zero and at most a year. */
final class DurationConverter implements ITypeConverter<Duration> {

  private static final Duration MAX = Duration.ofDays(365);

  @Override
  public Duration convert(String text) {
    Duration duration;
    try {
      duration = DurationFormat.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
    if (duration.isZero() || duration.compareTo(MAX) > 0) {
      throw new TypeConversionException(
          "'" + text + "' is out of range; write a time above zero, at most a year");
    }
    return duration;
  }
}
