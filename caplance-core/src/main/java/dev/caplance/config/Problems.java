package dev.caplance.config;

import java.nio.file.Path;
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
}
