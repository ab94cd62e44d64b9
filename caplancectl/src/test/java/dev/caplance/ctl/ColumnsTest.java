package dev.caplance.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ColumnsTest {

  @Test
  void columnsAreAsWideAsTheirWidestCell() {
    Columns table =
        new Columns("<><")
            .row("name", "count", "note")
            .row("a", "1", "")
            .note("a line of its own that is longer than all the columns together")
            .row("longer", "12,345", "x");

    assertThat(table)
        .hasToString(
            """
            name     count  note
            a            1  -
              a line of its own that is longer than all the columns together
            longer  12,345  x
            """);
  }

  @Test
  void aTableWithoutRowsIsEmpty() {
    assertThat(new Columns("<>")).hasToString("");
  }
}
