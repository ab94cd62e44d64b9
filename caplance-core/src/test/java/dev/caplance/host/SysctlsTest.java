package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over a directory that looks like /proc/sys. */
class SysctlsTest {

  private static final String IGNORE = "net.ipv4.conf.all.arp_ignore";
  private static final String ANNOUNCE = "net.ipv4.conf.all.arp_announce";

  @TempDir private Path directory;
  private Path root;

  /** A run of the daemon; to close it without restoring is a crash. */
  private final class Run implements AutoCloseable {

    final Journal journal = Journal.open(directory, "backend");
    final Sysctls sysctls = new Sysctls(journal, root);

    Run() throws IOException {}

    @Override
    public void close() throws IOException {
      journal.close();
    }
  }

  @BeforeEach
  void makeParameters() throws IOException {
    root = directory.resolve("sys");
    Files.createDirectories(root.resolve("net/ipv4/conf/all"));
    assign(IGNORE, "0");
    assign(ANNOUNCE, "0");
  }

  private void assign(String name, String value) throws IOException {
    Files.writeString(root.resolve(name.replace('.', '/')), value + "\n");
  }

  private String value(String name) throws IOException {
    return Files.readString(root.resolve(name.replace('.', '/'))).strip();
  }

  @Test
  void setsAndPutsBack() throws IOException {
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1", ANNOUNCE, "2"));
      assertThat(value(IGNORE)).isEqualTo("1");
      assertThat(value(ANNOUNCE)).isEqualTo("2");
      run.sysctls.restoreAll();
      assertThat(value(IGNORE)).isEqualTo("0");
      assertThat(value(ANNOUNCE)).isEqualTo("0");
    }
    assertThat(directory.resolve("backend.journal")).isEmptyFile();
  }

  @Test
  void setsAgainWhatSomethingElseHasChangedAndRestoresTheFirstOriginal() throws IOException {
    try (Run run = new Run()) {
      run.sysctls.putBack();
      run.sysctls.apply(Map.of(IGNORE, "1", ANNOUNCE, "2"));
      for (int times = 0; times < 3; times++) {
        assign(IGNORE, "0");
        assign(ANNOUNCE, "1");
        run.sysctls.putBack();
        assertThat(value(IGNORE)).isEqualTo("1");
        assertThat(value(ANNOUNCE)).isEqualTo("2");
      }
      Files.delete(root.resolve("net/ipv4/conf/all/arp_announce"));
      assign(IGNORE, "0");
      assertThatThrownBy(run.sysctls::putBack).hasMessageContaining("no parameter " + ANNOUNCE);
      assertThat(value(IGNORE)).isEqualTo("1");
      assign(ANNOUNCE, "2");
      run.sysctls.restoreAll();
      assertThat(value(IGNORE)).isEqualTo("0");
      assertThat(value(ANNOUNCE)).isEqualTo("0");
      run.sysctls.putBack();
      assertThat(value(IGNORE)).as("no longer kept").isEqualTo("0");
    }
  }

  @Test
  void doesNotTouchWhatIsAsWantedAlready() throws IOException {
    assign(IGNORE, "1");
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1"));
      assertThat(run.journal.changes(MachineChange.class)).isEmpty();
      run.sysctls.restoreAll();
    }
    assertThat(value(IGNORE)).isEqualTo("1");
  }

  @Test
  void afterACrashTheFirstOriginalIsPutBack() throws IOException {
    for (int crashes = 0; crashes < 2; crashes++) {
      try (Run run = new Run()) {
        run.sysctls.apply(Map.of(IGNORE, "1"));
      }
    }
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1"));
      run.sysctls.restoreAll();
    }
    assertThat(value(IGNORE)).isEqualTo("0");
  }

  @Test
  void afterACrashWhatIsNoLongerWantedIsPutBackAtOnce() throws IOException {
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1", ANNOUNCE, "2"));
    }
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(ANNOUNCE, "2"));
      assertThat(value(IGNORE)).isEqualTo("0");
      assertThat(value(ANNOUNCE)).isEqualTo("2");
    }
  }

  @Test
  void afterACrashAnotherValueMayBeWanted() throws IOException {
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1"));
    }
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "2"));
      assertThat(value(IGNORE)).isEqualTo("2");
      run.sysctls.restoreAll();
    }
    assertThat(value(IGNORE)).isEqualTo("0");
  }

  @Test
  void aCrashBeforeTheWriteDoesNoHarm() throws IOException {
    try (Run run = new Run()) {
      run.journal.add(new MachineChange.Sysctl(IGNORE, "0", "1"));
    }
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1"));
      assertThat(value(IGNORE)).isEqualTo("1");
      run.sysctls.restoreAll();
    }
    assertThat(value(IGNORE)).isEqualTo("0");
  }

  @Test
  void whatTheAdministratorSetMeanwhileStays() throws IOException {
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1", ANNOUNCE, "2"));
      assign(IGNORE, "8");
    }
    assign(ANNOUNCE, "1");
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(ANNOUNCE, "2"));
      assertThat(value(IGNORE)).isEqualTo("8");
      run.sysctls.restoreAll();
    }
    assertThat(value(ANNOUNCE)).isEqualTo("1");
    assertThat(directory.resolve("backend.journal")).isEmptyFile();
  }

  @Test
  void blanksBetweenNumbersDoNotMatter() throws IOException {
    Files.writeString(root.resolve("net/ipv4/tcp_mem"), "1\t2\t3\n");
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of("net.ipv4.tcp_mem", "1 2 3"));
      assertThat(run.journal.changes(MachineChange.class)).isEmpty();
      run.sysctls.apply(Map.of("net.ipv4.tcp_mem", "4 5 6"));
    }
    try (Run run = new Run()) {
      run.sysctls.restoreAll();
    }
    assertThat(value("net.ipv4.tcp_mem")).isEqualTo("1 2 3");
  }

  @Test
  void namesWithSlashesMayHoldDots() throws IOException {
    Files.createDirectories(root.resolve("net/ipv4/conf/eth0.7"));
    Files.writeString(root.resolve("net/ipv4/conf/eth0.7/rp_filter"), "1\n");
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of("net/ipv4/conf/eth0.7/rp_filter", "2"));
      run.sysctls.restoreAll();
    }
    assertThat(root.resolve("net/ipv4/conf/eth0.7/rp_filter")).hasContent("1");
  }

  @Test
  void aParameterThatDoesNotExistIsAnError() throws IOException {
    try (Run run = new Run()) {
      assertThatThrownBy(() -> run.sysctls.apply(Map.of("net.ipv4.no_such", "1")))
          .isInstanceOf(IOException.class)
          .hasMessage("this kernel has no parameter net.ipv4.no_such");
      assertThat(run.journal.changes(MachineChange.class)).isEmpty();
    }
  }

  @Test
  void aParameterThatVanishedDoesNotKeepOthersFromBeingPutBack() throws IOException {
    try (Run run = new Run()) {
      run.sysctls.apply(Map.of(IGNORE, "1"));
      run.sysctls.apply(Map.of(IGNORE, "1", ANNOUNCE, "2"));
      Files.delete(root.resolve(ANNOUNCE.replace('.', '/')));
      assertThatThrownBy(run.sysctls::restoreAll)
          .hasMessage("this kernel has no parameter " + ANNOUNCE);
      assertThat(value(IGNORE)).isEqualTo("0");
    }
  }
}
