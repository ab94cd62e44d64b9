package dev.caplance.config;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of durations, in configuration files, on command lines and in messages: whole numbers
 * with the units h, m, s and ms, largest unit first, as in {@code 500ms}, {@code 30s} or {@code
 * 1m30s}. What {@link #format} writes, {@link #parse} reads. Neither checks a range. Loads nothing
 * of the YAML reader, so that a command line starts quickly.
 */
public final class DurationFormat {

  /** A lone "500ms" is milliseconds, since nothing is left to be "500m" followed by "s". */
  private static final Pattern DURATION =
      Pattern.compile("(?=\\d)(?:(\\d{1,9})h)?(?:(\\d{1,9})m)?(?:(\\d{1,9})s)?(?:(\\d{1,9})ms)?");

  private static final ChronoUnit[] UNITS = {
    ChronoUnit.HOURS, ChronoUnit.MINUTES, ChronoUnit.SECONDS, ChronoUnit.MILLIS
  };

  private DurationFormat() {}

  /**
   * Reads a duration, zero or longer.
   *
   * @throws IllegalArgumentException when the text is anything else; the message quotes it and says
   *     what would be right
   */
  public static Duration parse(String text) {
    Matcher parts = DURATION.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          Values.quote(text) + " is not a duration; write a number and its unit: 500ms, 30s, 5m");
    }
    Duration duration = Duration.ZERO;
    for (int i = 0; i < UNITS.length; i++) {
      String number = parts.group(i + 1);
      if (number != null) {
        duration = duration.plus(Long.parseLong(number), UNITS[i]);
      }
    }
    return duration;
  }

  /**
   * Writes a duration: hours, minutes and seconds without those that are 0, or milliseconds alone
   * when it is not a whole number of seconds ({@code 1500ms}).
   *
   * @param duration not negative; what is below a millisecond is cut off
   */
  public static String format(Duration duration) {
    if (duration.toMillisPart() != 0 || duration.toSeconds() == 0) {
      return duration.toMillis() == 0 ? "0s" : duration.toMillis() + "ms";
    }
    StringBuilder text = new StringBuilder();
    append(text, duration.toHours(), "h");
    append(text, duration.toMinutesPart(), "m");
    append(text, duration.toSecondsPart(), "s");
    return text.toString();
  }

  private static void append(StringBuilder text, long number, String unit) {
    if (number > 0) {
      text.append(number).append(unit);
    }
  }
}
