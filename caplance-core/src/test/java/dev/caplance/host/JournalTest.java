package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JournalTest {

  private static final MachineChange.Address ADDRESS = address("10.0.0.50");
  private static final MachineChange.Sysctl SYSCTL =
      new MachineChange.Sysctl("net.ipv4.conf.all.arp_ignore", "0", "1");

  @TempDir private Path directory;

  private static MachineChange.Address address(String address) {
    return new MachineChange.Address(IpAddresses.parse(address), "eth0");
  }

  private Path file() {
    return directory.resolve("lb.journal");
  }

  private List<MachineChange> changes(Journal journal) {
    return journal.changes(MachineChange.class);
  }

  /** To close a journal with changes leaves the file as a crash does. */
  private void crashAfter(MachineChange... changes) throws IOException {
    try (Journal journal = Journal.open(directory, "lb")) {
      for (MachineChange change : changes) {
        journal.add(change);
      }
    }
  }

  @Test
  void whatWasNotUndoneIsFoundByTheNextStart() throws IOException {
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).isEmpty();
      journal.add(ADDRESS);
      journal.add(SYSCTL);
      journal.add(address("fd00::50"));
      journal.remove(ADDRESS);
    }
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(SYSCTL, address("fd00::50"));
      journal.remove(SYSCTL);
    }
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(address("fd00::50"));
    }
  }

  @Test
  void aChangeIsOnDiskBeforeItIsMade() throws IOException {
    try (Journal journal = Journal.open(directory, "lb")) {
      journal.add(SYSCTL);
      assertThat(Files.readString(file()))
          .endsWith("\n+\tsysctl\tnet.ipv4.conf.all.arp_ignore\t0\t1\n");
    }
  }

  @Test
  void aCleanEndLeavesAnEmptyFile() throws IOException {
    try (Journal journal = Journal.open(directory, "lb")) {
      journal.add(ADDRESS);
      journal.remove(ADDRESS);
    }
    assertThat(file()).isEmptyFile();
  }

  @ParameterizedTest
  @ValueSource(strings = {"+", "+\taddress\t10.0.0.9/32\teth0", "-\taddress\t10.0.0.50/32\teth0"})
  void aTornLastLineDoesNotCount(String torn) throws IOException {
    crashAfter(ADDRESS);
    Files.writeString(file(), torn, StandardOpenOption.APPEND);
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(ADDRESS);
      journal.add(SYSCTL);
    }
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(ADDRESS, SYSCTL);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "?",
        "+",
        "+\t",
        "+\taddress\t1",
        "+\taddress\t10.0.0.50/24\teth0",
        "+\taddress\tvip/32\teth0",
        "+\tsysctl\ta",
        "*\taddress\ta\tb",
        "\u00ff\0"
      })
  void aLineThatMeansNothingIsSkipped(String damaged) throws IOException {
    crashAfter(ADDRESS);
    Files.writeString(
        file(), damaged + "\n+\t" + SYSCTL.toLine() + "\n", StandardOpenOption.APPEND);
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(ADDRESS, SYSCTL);
    }
  }

  @Test
  void bytesThatAreNoTextDoNotShiftWhatFollows() throws IOException {
    crashAfter(ADDRESS);
    Files.write(file(), new byte[] {(byte) 0xff, (byte) 0xfe, '\n'}, StandardOpenOption.APPEND);
    crashAfter(SYSCTL);
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(ADDRESS, SYSCTL);
    }
    assertThat(Files.readAllBytes(file())).doesNotContain((byte) 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"boot other net:[1]", ""})
  void changesOfAnotherBootAreGone(String header) throws IOException {
    crashAfter(ADDRESS);
    List<String> lines = Files.readAllLines(file());
    lines.set(0, header);
    Files.write(file(), lines);
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).isEmpty();
      journal.add(SYSCTL);
    }
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(SYSCTL);
    }
  }

  @Test
  void changesAreUndoneLastFirstAndAFailureStopsNoOther() throws IOException {
    MachineChange.Address second = address("10.0.0.51");
    MachineChange.Address third = address("10.0.0.52");
    List<MachineChange> undone = new ArrayList<>();
    try (Journal journal = Journal.open(directory, "lb")) {
      for (MachineChange change : List.of(ADDRESS, SYSCTL, second, third)) {
        journal.add(change);
      }
      assertThatThrownBy(
              () ->
                  journal.undo(
                      journal.changes(MachineChange.Address.class),
                      change -> {
                        if (!change.equals(third)) {
                          throw new IOException("cannot undo " + change.prefix());
                        }
                        undone.add(change);
                      }))
          .isInstanceOf(IOException.class)
          .hasMessage("cannot undo 10.0.0.51/32")
          .satisfies(
              failure ->
                  assertThat(Failures.describe(failure))
                      .isEqualTo("cannot undo 10.0.0.51/32; cannot undo 10.0.0.50/32"));
      assertThat(undone).containsExactly(third);
      assertThat(changes(journal)).containsExactly(ADDRESS, SYSCTL, second);
    }
  }

  @Test
  void twoOfAKindCannotShareARunDirectory() throws Exception {
    crashAfter(ADDRESS);
    try (Journal journal = Journal.open(directory, "lb")) {
      String refusal =
          "another 'caplance lb' (process "
              + ProcessHandle.current().pid()
              + ") is using "
              + directory
              + "; stop it, or give this one another runDirectory";
      assertThat(openInOtherProcess("lb")).isEqualTo(refusal);
      assertThat(openInOtherProcess("backend")).isEqualTo("opened");
      assertThat(changes(journal)).containsExactly(ADDRESS);
    }
    assertThat(openInOtherProcess("lb")).isEqualTo("opened");
  }

  private String openInOtherProcess(String daemon) throws IOException {
    return new CommandRunner()
        .run(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            OtherProcess.class.getName(),
            directory.toString(),
            daemon)
        .strip();
  }

  /** Opens the journal and says how it went. */
  static final class OtherProcess {

    private OtherProcess() {}

    public static void main(String[] arguments) {
      try (Journal journal = Journal.open(Path.of(arguments[0]), arguments[1])) {
        System.out.println(
            journal.changes(MachineChange.Sysctl.class).isEmpty() ? "opened" : "changed");
      } catch (IOException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void aChangeThatCannotBeWrittenDownIsNotRemembered() throws IOException {
    Journal journal = Journal.open(directory, "lb");
    journal.add(ADDRESS);
    journal.close();
    assertThatThrownBy(() -> journal.add(SYSCTL)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> journal.undo(List.of(ADDRESS), change -> {}))
        .isInstanceOf(IOException.class);
    assertThat(changes(journal)).containsExactly(ADDRESS);
  }

  @Test
  void aDirectoryThatCannotBeUsedIsToldClearly() throws IOException {
    Path occupied = Files.write(directory.resolve("occupied"), "a file".getBytes(UTF_8));
    assertThatThrownBy(() -> Journal.open(occupied, "lb"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("cannot write " + occupied + "/lb.journal: ");
  }

  @Test
  void theDirectoryIsMadeWhenItIsMissing() throws IOException {
    try (Journal journal = Journal.open(directory.resolve("run/caplance"), "lb")) {
      assertThat(changes(journal)).isEmpty();
      assertThat(directory.resolve("run/caplance/lb.journal")).exists();
    }
  }

  @Test
  void theTargetOfALinkIsNotTouched() throws IOException {
    Path target = Files.writeString(directory.resolve("target"), "another's file\n");
    Files.createSymbolicLink(file(), target);
    crashAfter(ADDRESS);
    assertThat(target).hasContent("another's file");
    assertThat(directory.resolve("lb.journal.damaged")).isSymbolicLink();
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(ADDRESS);
    }
  }

  @Test
  @Timeout(60)
  void aPipeDoesNotBlock() throws Exception {
    StateFileTest.makePipe(file());
    crashAfter(ADDRESS);
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(ADDRESS);
    }
  }

  @Test
  void aHugeFileIsSetAside() throws IOException {
    try (RandomAccessFile huge = new RandomAccessFile(file().toFile(), "rw")) {
      huge.setLength(150_000_000);
    }
    crashAfter(ADDRESS);
    try (Journal journal = Journal.open(directory, "lb")) {
      assertThat(changes(journal)).containsExactly(ADDRESS);
    }
  }
}
