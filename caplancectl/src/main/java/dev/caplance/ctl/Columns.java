package dev.caplance.ctl;

import java.util.ArrayList;
import java.util.List;

/** A table of two or more columns, each as wide as its widest cell, two spaces apart. */
final class Columns {

  private static final String GAP = "  ";

  private final String alignment;
  private final List<String[]> rows = new ArrayList<>();

  /**
   * An empty table.
   *
   * @param alignment a character for each column: {@code <} for text, {@code >} for numbers
   */
  Columns(String alignment) {
    this.alignment = alignment;
  }

  /** Adds a row; an empty or null cell is shown as a dash. */
  Columns row(String... cells) {
    if (cells.length != alignment.length()) {
      throw new IllegalArgumentException(cells.length + " cells for columns " + alignment);
    }
    rows.add(cells);
    return this;
  }

  /** Adds an indented line below the last row; it does not widen the columns. */
  Columns note(String text) {
    rows.add(new String[] {GAP + text});
    return this;
  }

  /** The lines, each with its line feed. */
  @Override
  public String toString() {
    int[] widths = widths();
    StringBuilder text = new StringBuilder();
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder(row.length < widths.length ? row[0] : "");
      for (int i = 0; row.length == widths.length && i < widths.length; i++) {
        String padding = " ".repeat(widths[i] - shown(row[i]).length());
        line.append(i == 0 ? "" : GAP)
            .append(alignment.charAt(i) == '>' ? padding + shown(row[i]) : shown(row[i]) + padding);
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private int[] widths() {
    int[] widths = new int[alignment.length()];
    for (String[] row : rows) {
      for (int i = 0; row.length == widths.length && i < widths.length; i++) {
        widths[i] = Math.max(widths[i], shown(row[i]).length());
      }
    }
    return widths;
  }

  private static String shown(String cell) {
    return Words.isKnown(cell) ? cell : "-";
  }
}
