package dev.caplance.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.LoggerContext;
import dev.caplance.config.LoggingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

class LoggingTest {

  private static final Logger LOG = LoggerFactory.getLogger("dev.caplance.test");

  @TempDir private Path directory;

  @AfterEach
  void logAsBefore() {
    Logging.logToConsole(
        (LoggerContext) LoggerFactory.getILoggerFactory(), ch.qos.logback.classic.Level.WARN);
  }

  private static LoggingConfig toFile(Level level, Path file, long maxSize, int keep) {
    return new LoggingConfig(level, Optional.of(new LoggingConfig.LogFile(file, maxSize, keep)));
  }

  @Test
  void writesTheFileFromTheLevelOn() throws IOException {
    Path file = directory.resolve("made/lb (1) {a}.log");
    Logging.configure(toFile(Level.WARN, file, 1 << 20, 3));
    LOG.info("not this");
    LOG.warn("but this");
    Logging.configure(toFile(Level.TRACE, file, 1 << 20, 3));
    LOG.trace("and this");
    assertThat(Files.readAllLines(file))
        .satisfiesExactly(
            line -> assertThat(line).endsWith("WARN  but this"),
            line -> assertThat(line).endsWith("TRACE test: and this"));
  }

  @Test
  void keepsAsManyOlderFilesAsToldAndTheNewestLines() throws IOException {
    Path file = directory.resolve("lb (1) {a}.log");
    Logging.configure(toFile(Level.INFO, file, 1000, 2));
    for (int i = 0; i < 200; i++) {
      LOG.info("message {}", i);
    }
    assertThat(directory.toFile().list())
        .containsExactlyInAnyOrder("lb (1) {a}.log", "lb (1) {a}.log.1", "lb (1) {a}.log.2");
    List<String> lines = new ArrayList<>();
    for (String name : List.of("lb (1) {a}.log.2", "lb (1) {a}.log.1", "lb (1) {a}.log")) {
      assertThat(Files.size(directory.resolve(name))).isLessThan(1200);
      lines.addAll(Files.readAllLines(directory.resolve(name)));
    }
    assertThat(lines).isSorted().last().asString().endsWith("message 199");
  }

  @Test
  void aFileThatCannotBeWrittenIsAnErrorAndChangesNothing() throws IOException {
    Path good = directory.resolve("good.log");
    Logging.configure(toFile(Level.INFO, good, 1 << 20, 1));
    Path occupied = Files.createDirectory(directory.resolve("occupied"));
    assertThatThrownBy(() -> Logging.configure(toFile(Level.INFO, occupied, 1 << 20, 1)))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("cannot write the log file " + occupied + ": ");
    LOG.info("still here");
    assertThat(Files.readString(good)).endsWith("still here\n");
  }

  @Test
  void beforeItIsConfiguredOnlyWarningsAreWrittenAndNotToStandardOutput() throws Exception {
    assertThat(standardErrorOf("quiet", false))
        .singleElement()
        .asString()
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\S+ WARN  a warning");
  }

  @Test
  void underSystemdStandardErrorGetsPriorities() throws Exception {
    assertThat(standardErrorOf("configured", true)).containsExactly("<6>news", "<4>a warning");
  }

  /** Standard error is a file here, which plays the journal when its identity says so. */
  private List<String> standardErrorOf(String mode, boolean journal) throws Exception {
    Path output = Files.createFile(directory.resolve("out"));
    Path errors = Files.createFile(directory.resolve("err"));
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Program.class.getName(),
            mode);
    Map<String, Object> identity = Files.readAttributes(errors, "unix:dev,ino");
    builder.environment().remove("JOURNAL_STREAM");
    if (journal) {
      builder.environment().put("JOURNAL_STREAM", identity.get("dev") + ":" + identity.get("ino"));
    }
    Process process =
        builder.redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(output).isEmptyFile();
    return Files.readAllLines(errors);
  }

  /** Logs before or after the configuration. */
  static final class Program {

    private Program() {}

    public static void main(String[] arguments) throws IOException {
      if (arguments[0].equals("configured")) {
        Logging.configure(new LoggingConfig(Level.INFO, Optional.empty()));
      }
      LOG.info("news");
      LOG.warn("a warning");
    }
  }
}
