package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The archive of classes with which daemons start in less time. Without it all works the same. */
class ClassArchiveIT {

  @TempDir Path directory;

  private record Outcome(int exitCode, String output) {}

  private Outcome run(String argument) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(directory.resolve("bin/caplance").toString(), argument)
            .redirectErrorStream(true);
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Outcome(process.waitFor(), output);
  }

  /** What a package makes of it: the launcher in one directory, the jar and the list in another. */
  private Path install() throws IOException {
    Path launcher = Files.createDirectories(directory.resolve("bin")).resolve("caplance");
    Files.copy(Path.of(Lab.script("caplance")), launcher);
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
    Path share = Files.createDirectories(directory.resolve("share/caplance"));
    for (String name : List.of("caplance.jar", "caplance.classlist")) {
      Files.copy(Lab.ROOT.resolve("caplance-dist/target").resolve(name), share.resolve(name));
    }
    return share;
  }

  private static Path onlyArchive(Path share) throws IOException {
    try (Stream<Path> files = Files.list(share)) {
      List<Path> archives = files.filter(file -> file.toString().contains(".jsa")).toList();
      assertThat(archives).hasSize(1);
      return archives.get(0);
    }
  }

  @ParameterizedTest
  @CsvSource({"lb1, lb", "b1, backend"})
  void theDaemonsHaveTheirClassesFromIt(String host, String kind) throws IOException {
    Lab.up();
    Path log = directory.resolve("classes");
    Map<String, String> environment = Map.of("CAPLANCE_JAVA_OPTS", "-Xlog:class+load:file=" + log);
    try (DaemonProcess daemon = DaemonProcess.start(host, kind, environment)) {
      daemon.awaitServing();
    }
    List<String> classes = Files.readAllLines(log);
    List<String> others =
        classes.stream().filter(line -> !line.contains("source: shared objects file")).toList();
    assertThat(others)
        .as("not in the archive; scripts/classlist.sh mends that")
        .hasSizeLessThan(classes.size() / 10);
  }

  @Test
  void oneThatWasMadeBeforeIsReplaced() throws Exception {
    Path share = install();
    Outcome works = run("--version");
    Files.writeString(share.resolve("caplance-17.0.0.jsa"), "of another Java");
    for (int times = 0; times < 2; times++) {
      assertThat(run("archive")).isEqualTo(new Outcome(0, ""));
      assertThat(Files.size(onlyArchive(share))).isGreaterThan(1_000_000);
      assertThat(run("--version")).isEqualTo(works);
    }
  }

  @Test
  void oneThatDoesNotSuitIsNotUsed() throws Exception {
    Path share = install();
    Outcome works = run("--version");
    assertThat(run("archive")).isEqualTo(new Outcome(0, ""));
    Path archive = onlyArchive(share);

    Files.setLastModifiedTime(
        share.resolve("caplance.jar"), FileTime.fromMillis(System.currentTimeMillis() + 60_000));
    assertThat(run("--version")).as("of another jar").isEqualTo(works);
    Files.setLastModifiedTime(archive, FileTime.fromMillis(System.currentTimeMillis() + 120_000));
    assertThat(run("--version")).as("of another jar, though newer").isEqualTo(works);

    assertThat(run("archive")).isEqualTo(new Outcome(0, ""));
    try (RandomAccessFile file = new RandomAccessFile(archive.toFile(), "rw")) {
      file.write(new byte[10_000]);
      assertThat(run("--version")).as("with another beginning").isEqualTo(works);
      file.setLength(file.length() / 3);
      assertThat(run("--version")).as("cut off").isEqualTo(works);
      file.setLength(0);
      assertThat(run("--version")).as("empty").isEqualTo(works);
    }
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    Path list = install().resolve("caplance.classlist");
    Files.delete(list);

    Outcome outcome = run("archive");

    assertThat(outcome.exitCode()).isEqualTo(127);
    assertThat(outcome.output()).contains("caplance.classlist is missing");
  }
}
