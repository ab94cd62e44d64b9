package dev.caplance.config;

import java.util.function.Function;
import java.util.function.Predicate;

/** Turns the text of one YAML scalar into a value. */
@FunctionalInterface
public interface ValueParser<T> {

  /**
   * Reads a value.
   *
   * @param text the scalar as written in the file, without quotes
   * @throws IllegalArgumentException when the text is wrong; the message says what would be right,
   *     and is shown to the user after the name of the key
   */
  T parse(String text);

  /** The same parser, refusing with this message the values that {@code wrong} matches. */
  default ValueParser<T> unless(Predicate<T> wrong, Function<T, String> message) {
    return text -> {
      T value = parse(text);
      if (wrong.test(value)) {
        throw new IllegalArgumentException(message.apply(value));
      }
      return value;
    };
  }
}
