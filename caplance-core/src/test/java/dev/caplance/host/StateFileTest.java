package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.CapturedLog;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever stands under the name of a state file, a daemon starts and says what it found. */
@Timeout(60)
class StateFileTest {

  private static final int MAX_BYTES = 100;

  @TempDir private Path directory;

  private Path path() {
    return directory.resolve("state/backends");
  }

  private Path damaged() {
    return directory.resolve("state/backends.damaged");
  }

  private StateFile file() throws IOException {
    Files.createDirectories(path().getParent());
    return new StateFile(path(), MAX_BYTES);
  }

  /** Expects no content, the file set aside, and that the next write works. */
  private void assertSetAside(StateFile file, String reason) throws IOException {
    try (CapturedLog log = new CapturedLog(StateFile.class)) {
      assertThat(file.read()).isEmpty();
      assertThat(log.lines())
          .containsExactly(
              "WARN "
                  + path()
                  + " is damaged: "
                  + reason
                  + "; it is "
                  + damaged()
                  + " now, and the daemon goes on without");
    }
    assertThat(path()).doesNotExist();
    assertThat(Files.exists(damaged(), java.nio.file.LinkOption.NOFOLLOW_LINKS)).isTrue();
    file.write("new\n");
    assertThat(file.read()).contains("new\n");
  }

  static void makePipe(Path path) throws Exception {
    assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor()).isZero();
  }

  @Test
  void whatIsWrittenIsReadAndNobodyElseCanReadIt() throws IOException {
    StateFile file = new StateFile(path(), MAX_BYTES);
    assertThat(file.read()).isEmpty();
    file.write("one\n");
    file.write("zwölf\n");
    assertThat(file.read()).contains("zwölf\n");
    assertThat(Files.getPosixFilePermissions(path()))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(path().getParent().toFile().list()).containsExactly("backends");
  }

  @Test
  void aDanglingLinkIsSetAside() throws IOException {
    StateFile file = file();
    Files.createSymbolicLink(path(), Path.of("nowhere"));
    assertSetAside(file, "it is a symbolic link, which is not followed");
    assertThat(path().resolveSibling("nowhere")).doesNotExist();
  }

  @Test
  void theTargetOfALinkIsNeitherReadNorWritten() throws IOException {
    StateFile file = file();
    Path target = Files.writeString(directory.resolve("target"), "another's");
    Files.createSymbolicLink(path(), target);
    assertSetAside(file, "it is a symbolic link, which is not followed");
    Files.createSymbolicLink(path().resolveSibling("backends.new"), target);
    Files.delete(path());
    Files.createSymbolicLink(path(), target);
    file.write("ours");
    assertThat(target).hasContent("another's");
    assertThat(file.read()).contains("ours");
  }

  @Test
  void aPipeDoesNotBlock() throws Exception {
    StateFile file = file();
    makePipe(path());
    assertSetAside(file, "it is not a regular file");
  }

  @Test
  void aDirectoryIsSetAside() throws IOException {
    StateFile file = file();
    Files.createDirectories(path().resolve("sub"));
    assertSetAside(file, "it is not a regular file");
  }

  @Test
  void aHugeFileIsNotRead() throws IOException {
    StateFile file = file();
    try (RandomAccessFile huge = new RandomAccessFile(path().toFile(), "rw")) {
      huge.setLength(150_000_000);
    }
    assertSetAside(file, "it is longer than 100 bytes");
  }

  @Test
  void bytesThatAreNoTextAreSetAside() throws IOException {
    StateFile file = file();
    Files.write(path(), new byte[] {'a', (byte) 0xff});
    assertSetAside(file, "it is not text");
  }

  @Test
  void theLatestDamageReplacesTheEarlier() throws IOException {
    StateFile file = file();
    for (String content : new String[] {"first", "second"}) {
      Files.writeString(path(), content);
      file.setAside("it is empty");
    }
    assertThat(damaged()).hasContent("second");
  }

  @Test
  void aFileLongerThanItMayBeIsNotWritten() throws IOException {
    StateFile file = file();
    file.write("old");
    assertThatThrownBy(() -> file.write("x".repeat(MAX_BYTES + 1)))
        .hasMessage("cannot write " + path() + ": it is longer than 100 bytes");
    assertThat(file.read()).contains("old");
  }

  @Test
  void whatCannotBeSetAsideIsAnErrorInWords() throws IOException {
    StateFile file = file();
    Files.writeString(path(), "x".repeat(MAX_BYTES + 1));
    Files.createDirectories(damaged().resolve("in the way"));
    assertThatThrownBy(file::read)
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            path() + " is damaged: it is longer than 100 bytes, and it cannot be renamed: ")
        .hasMessageEndingWith("; remove it");
  }
}
