package dev.caplance.backend.health;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.HexFormat;
import java.util.regex.Pattern;

/** What an answer must have to be the right one. */
public record AnswerMatch(Kind kind, String text) {

  private static final HexFormat HEX = HexFormat.of();

  /** How the answer is compared. */
  public enum Kind {
    /** It contains the text, in UTF-8. */
    CONTAINS,
    /** It contains the bytes that the text has in hexadecimal digits. */
    CONTAINS_HEX,
    /** Some part of it, read as UTF-8, matches the regular expression. */
    MATCHES
  }

  /**
   * What an answer must have.
   *
   * @throws IllegalArgumentException if the text is no hexadecimal number or regular expression
   */
  public AnswerMatch {
    if (kind == Kind.MATCHES) {
      Pattern.compile(text);
    } else if (kind == Kind.CONTAINS_HEX) {
      HEX.parseHex(text);
    }
  }

  boolean test(byte[] answer) {
    return switch (kind) {
      case CONTAINS -> contains(answer, text.getBytes(UTF_8));
      case CONTAINS_HEX -> contains(answer, HEX.parseHex(text));
      case MATCHES -> Pattern.compile(text).matcher(new String(answer, UTF_8)).find();
    };
  }

  /** In ISO 8859-1 each byte is a character. */
  private static boolean contains(byte[] answer, byte[] part) {
    return new String(answer, ISO_8859_1).contains(new String(part, ISO_8859_1));
  }

  /** What an answer lacks, for operators. */
  String missing() {
    return kind == Kind.MATCHES ? "no match of '" + text + "'" : "no '" + text + "'";
  }
}
