package dev.caplance.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreflightTest {

  private static final Finding FINDING = Finding.stops("it is broken", "here", "fix it");

  @Test
  void aCheckThatFailsIsAFindingAndKeepsNoOtherFromRunning() {
    Preflight preflight =
        new Preflight(
            List.of(
                () -> {
                  throw new IOException("cannot run ip");
                },
                () -> {
                  throw new IllegalStateException("a mistake");
                },
                () -> List.of(FINDING),
                () -> List.of(FINDING)));
    assertThat(preflight.findings())
        .extracting(Finding::toString)
        .containsExactly(
            "not everything could be checked (cannot run ip): fix this first, then repeat the check",
            "not everything could be checked (java.lang.IllegalStateException: a mistake): fix this"
                + " first, then repeat the check",
            "it is broken (here): fix it");
  }

  @Test
  void aProgramThatIsMissing() {
    assertThat(new Programs(List.of("sh", "no-such-program")).findings())
        .extracting(Finding::toString)
        .containsExactly(
            "the program 'no-such-program' is missing (neither in PATH nor in /usr/sbin): apt"
                + " install no-such-program");
  }

  @Test
  void aDirectoryThatWouldBeCreatedIsFineButNotAFile(@TempDir Path directory) throws IOException {
    assertThat(new WritableDirectory("runDirectory", directory.resolve("a/b")).findings())
        .isEmpty();
    Path file = Files.createFile(directory.resolve("file"));
    assertThat(new WritableDirectory("runDirectory", file).findings())
        .extracting(Finding::where)
        .containsExactly(file + " is not a directory");
  }
}
