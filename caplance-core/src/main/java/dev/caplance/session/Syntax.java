package dev.caplance.session;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The lexical rules of session lines. Every check throws {@link IllegalArgumentException}, whose
 * message says what is wrong and what would be right.
 */
final class Syntax {

  /** Longer free text is cut off, so that every message fits into a line. */
  static final int MAX_TEXT = 400;

  private static final int MAX_QUOTED = 40;
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{1,128}");
  private static final Pattern OPTION_KEY = Pattern.compile("[!-<>-~]+");
  private static final Pattern OPTION_VALUE = Pattern.compile("[!-~]*");
  private static final Pattern VERSION = Pattern.compile("[2-9]|[1-9][0-9]{1,2}");
  private static final Pattern INTEGER = Pattern.compile("0|[1-9][0-9]{0,6}");
  private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,6})(ms|s|m)");

  private Syntax() {}

  static boolean isPrintable(int character) {
    return character >= ' ' && character <= '~';
  }

  static String name(String name) {
    if (!Message.NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "'"
              + abbreviate(name)
              + "' is not a name; a name has 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'");
    }
    return name;
  }

  /** The names in a list without spaces, unmodifiable, in order. */
  static Set<String> names(String key, String list) {
    Set<String> names = new LinkedHashSet<>();
    for (String name : list.split(",", -1)) {
      if (!Message.NAME.matcher(name).matches() || !names.add(name)) {
        throw new IllegalArgumentException(
            key
                + "="
                + abbreviate(list)
                + " is not a list of different names; write it like "
                + key
                + "=web,mail");
      }
    }
    return Collections.unmodifiableSet(names);
  }

  static int integer(String key, String value, int min, int max) {
    if (INTEGER.matcher(value).matches()) {
      int number = Integer.parseInt(value);
      if (min <= number && number <= max) {
        return number;
      }
    }
    throw new IllegalArgumentException(
        key + "=" + abbreviate(value) + " is not a whole number from " + min + " to " + max);
  }

  static String token(String token) {
    if (!TOKEN.matcher(token).matches()) {
      throw new IllegalArgumentException(
          "'"
              + abbreviate(token)
              + "' is not a token; a token has 1 to 128 characters of A-Z, a-z, 0-9, '_' and '-'");
    }
    return token;
  }

  /** The options in order, checked and unmodifiable. */
  static Map<String, String> options(Map<String, String> options) {
    options.forEach(
        (key, value) -> {
          if (!OPTION_KEY.matcher(key).matches() || !OPTION_VALUE.matcher(value).matches()) {
            throw new IllegalArgumentException(
                "'"
                    + abbreviate(key + "=" + value)
                    + "' is not an option; write key=value in printable ASCII without spaces");
          }
        });
    return Collections.unmodifiableMap(new LinkedHashMap<>(options));
  }

  static int version(Map<String, String> options) {
    String value = options.get("version");
    if (value == null) {
      return Message.VERSION_2019;
    }
    if (!VERSION.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "version=" + abbreviate(value) + " is unknown; write version=" + Message.VERSION);
    }
    return Integer.parseInt(value);
  }

  /** Free text that can end a line: what cannot be sent is replaced, never refused. */
  static String text(String text) {
    StringBuilder printable = new StringBuilder();
    text.strip()
        .codePoints()
        .limit(MAX_TEXT)
        .forEach(c -> printable.append(isPrintable(c) ? (char) c : '?'));
    return printable.toString().strip();
  }

  /** A quotation from the peer, printable and short enough to leave room for an explanation. */
  static String abbreviate(String quoted) {
    String printable = text(quoted);
    return printable.length() <= MAX_QUOTED
        ? printable
        : printable.substring(0, MAX_QUOTED) + "...";
  }

  static Duration duration(String key, String value, Duration min, Duration max) {
    Matcher matcher = DURATION.matcher(value);
    if (matcher.matches()) {
      long amount = Long.parseLong(matcher.group(1));
      Duration duration =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            default -> Duration.ofMinutes(amount);
          };
      if (duration.compareTo(min) >= 0 && duration.compareTo(max) <= 0) {
        return duration;
      }
    }
    throw new IllegalArgumentException(
        key
            + "="
            + abbreviate(value)
            + " is not a duration from "
            + format(min)
            + " to "
            + format(max)
            + "; write it like 500ms, 5s or 1m");
  }

  static String format(Duration duration) {
    long millis = duration.toMillis();
    return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
  }
}
