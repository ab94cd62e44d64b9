package dev.caplance.ctl;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;

/** Numbers and times as people read them. What is unknown (null) becomes empty. */
final class Quantities {

  private static final long SECOND = 1000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  private static final String[] BYTE_UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

  private Quantities() {}

  /** A whole number with its thousands set apart: 12,345. */
  static String count(Number count) {
    if (count == null) {
      return "";
    }
    StringBuilder text = new StringBuilder(Long.toString(count.longValue()));
    int digits = count.longValue() < 0 ? 1 : 0;
    for (int i = text.length() - 3; i > digits; i -= 3) {
      text.insert(i, ',');
    }
    return text.toString();
  }

  /** A number of bytes in decimal units: 999 B, 1.2 kB, 34.5 MB. */
  static String bytes(Long bytes) {
    if (bytes == null) {
      return "";
    }
    if (bytes < 1000) {
      return bytes + " " + BYTE_UNITS[0];
    }
    long tenths = bytes / 100;
    int unit = 1;
    while (tenths >= 10_000 && unit < BYTE_UNITS.length - 1) {
      tenths /= 1000;
      unit++;
    }
    return tenths(tenths) + " " + BYTE_UNITS[unit];
  }

  /** Milliseconds in their one or two largest units: 1.2 s, 4 min 10 s, 3 h 12 min, 5 d. */
  static String span(Long millis) {
    if (millis == null) {
      return "";
    }
    if (millis < MINUTE) {
      return tenths(millis / 100) + " s";
    }
    if (millis < HOUR) {
      return two(millis / MINUTE, "min", millis % MINUTE / SECOND, "s");
    }
    if (millis < DAY) {
      return two(millis / HOUR, "h", millis % HOUR / MINUTE, "min");
    }
    return two(millis / DAY, "d", millis % DAY / HOUR, "h");
  }

  /** How long ago something was, in milliseconds, as {@link #span} writes it: 1.2 s ago. */
  static String ago(Long millis) {
    return millis == null ? "" : span(millis) + " ago";
  }

  /** The time that has passed since an instant, not below zero, as {@link #span} writes it. */
  static String spanSince(Instant instant, Clock clock) {
    return instant == null
        ? ""
        : span(Math.max(0, Duration.between(instant, clock.instant()).toMillis()));
  }

  /** An instant in the clock's zone: 14:03:11, with the date before it unless it is today. */
  static String time(Instant instant, Clock clock) {
    if (instant == null) {
      return "";
    }
    LocalDateTime seconds =
        LocalDateTime.ofInstant(instant, clock.getZone()).truncatedTo(ChronoUnit.SECONDS);
    String text = seconds.toLocalTime() + (seconds.getSecond() == 0 ? ":00" : "");
    return seconds.toLocalDate().equals(LocalDate.now(clock))
        ? text
        : seconds.toLocalDate() + " " + text;
  }

  /** The first number divided by the second: 31.4. */
  static String ratio(Long many, Long few) {
    return many == null || few == null || few == 0 ? "" : tenths(many * 10 / few);
  }

  /** A share of a whole: 33.4 %. */
  static String percent(Integer part, Integer whole) {
    return part == null || whole == null || whole == 0
        ? ""
        : tenths(Math.round(1000.0 * part / whole)) + " %";
  }

  private static String tenths(long tenths) {
    return tenths / 10 + "." + tenths % 10;
  }

  private static String two(long first, String firstUnit, long second, String secondUnit) {
    String text = first + " " + firstUnit;
    return second == 0 ? text : text + " " + second + " " + secondUnit;
  }
}
