package dev.caplance.config;

import java.nio.file.Path;
import java.util.Comparator;

/**
 * A mistake in a configuration file.
 *
 * @param file the file as the user named it
 * @param line from 1; 0 for the file as a whole (missing, unreadable)
 * @param column from 1, in characters; 0 if {@code line} is 0
 * @param text what is wrong, and what would be right
 */
public record Problem(Path file, int line, int column, String text) implements Comparable<Problem> {

  private static final Comparator<Problem> BY_POSITION =
      Comparator.comparing(Problem::file)
          .thenComparingInt(Problem::line)
          .thenComparingInt(Problem::column)
          .thenComparing(Problem::text);

  /** In the order of their positions in the file. */
  @Override
  public int compareTo(Problem other) {
    return BY_POSITION.compare(this, other);
  }

  /** {@code file:line:column: text}, or {@code file: text} for the file as a whole. */
  @Override
  public String toString() {
    return line == 0 ? file + ": " + text : file + ":" + line + ":" + column + ": " + text;
  }
}
