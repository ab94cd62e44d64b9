package dev.caplance.config;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.yaml.snakeyaml.error.Mark;

/** Collects the mistakes in a file. */
final class Problems {

  private final Path file;
  // A set, since a node with an anchor is read again, with its mistakes, at each alias.
  private final SortedSet<Problem> found = new TreeSet<>();

  Problems(Path file) {
    this.file = file;
  }

  void add(Mark at, String text) {
    addAt(at.getLine() + 1, at.getColumn() + 1, text);
  }

  void addAt(int line, int column, String text) {
    found.add(new Problem(file, line, column, text));
  }

  void addForFile(String text) {
    found.add(new Problem(file, 0, 0, text));
  }

  /** A collector for what is read only to get its defaults; its mistakes do not count. */
  Problems discarded() {
    return new Problems(file);
  }

  void throwIfAny() throws ConfigException {
    if (!found.isEmpty()) {
      throw new ConfigException(List.copyOf(found));
    }
  }

  /**
   * A mistake in a configuration file.
   *
   * @param file the file as the user named it
   * @param line from 1; 0 for the file as a whole (missing, unreadable)
   * @param column from 1, in characters; 0 if {@code line} is 0
   * @param text what is wrong, and what would be right
   */
  public record Problem(Path file, int line, int column, String text)
      implements Comparable<Problem> {

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
}
