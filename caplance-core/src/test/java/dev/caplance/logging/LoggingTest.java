package dev.caplance.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.LoggerContext;
import dev.caplance.config.LoggingConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
    Logging.close();
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
    Logging.close();
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
    Logging.close();
    assertThat(Files.readString(good)).endsWith("still here\n");
  }

  @Test
  @Timeout(60)
  void aPipeIsNoLogFile() throws Exception {
    Path pipe = directory.resolve("pipe.log");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertThatThrownBy(() -> Logging.configure(toFile(Level.INFO, pipe, 1 << 20, 1)))
        .isInstanceOf(IOException.class)
        .hasMessage("cannot write the log file " + pipe + ": it exists and is not a regular file");
  }

  /** A full pipe, such as that of a terminal multiplexer or a log shipper that has stopped. */
  @Test
  @Timeout(60)
  void aReaderThatStopsHoldsUpNobodyAndLearnsWhatItMissed() throws Exception {
    Process process = start("flood", Map.of()).start();
    try (BufferedReader out = process.inputReader();
        BufferedReader errors = process.errorReader()) {
      assertThat(out.readLine()).isEqualTo("nobody waited");
      List<String> lines = new ArrayList<>();
      while (lines.isEmpty() || !lines.get(lines.size() - 1).endsWith("ERROR important")) {
        lines.add(errors.readLine());
      }
      process.getOutputStream().close();
      errors.lines().forEach(lines::add);
      long told =
          lines.stream()
              .map(Pattern.compile("WARN  dropped (\\d+) messages of this log")::matcher)
              .filter(Matcher::find)
              .mapToLong(notice -> Long.parseLong(notice.group(1)))
              .sum();
      assertThat(told).isPositive();
      assertThat(out.readLine()).isEqualTo(told + " dropped");
      assertThat(lines.get(lines.size() - 1)).endsWith("INFO  last words");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  @Timeout(60)
  void aReaderThatStopsDoesNotHoldUpTheEnd() throws Exception {
    Process process = start("flood", Map.of()).start();
    try (BufferedReader out = process.inputReader()) {
      assertThat(out.readLine()).isEqualTo("nobody waited");
      process.getOutputStream().close();
      assertThat(process.waitFor()).isZero();
    } finally {
      process.destroyForcibly();
    }
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
    Map<String, Object> identity = Files.readAttributes(errors, "unix:dev,ino");
    String stream = identity.get("dev") + ":" + identity.get("ino");
    Process process =
        start(mode, journal ? Map.of("JOURNAL_STREAM", stream) : Map.of())
            .redirectOutput(output.toFile())
            .redirectError(errors.toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(output).isEmptyFile();
    return Files.readAllLines(errors);
  }

  private static ProcessBuilder start(String mode, Map<String, String> environment) {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Program.class.getName(),
            mode);
    builder.environment().remove("JOURNAL_STREAM");
    builder.environment().putAll(environment);
    return builder;
  }

  /** Logs before or after the configuration, or more than a pipe and the queue can hold. */
  static final class Program {

    private Program() {}

    public static void main(String[] arguments) throws IOException {
      if (!arguments[0].equals("quiet")) {
        Logging.configure(new LoggingConfig(Level.INFO, Optional.empty()));
      }
      if (arguments[0].equals("flood")) {
        flood();
      } else {
        LOG.info("news");
        LOG.warn("a warning");
      }
      Logging.close();
    }

    private static void flood() throws IOException {
      for (int i = 0; i < 5000; i++) {
        LOG.info("{} {}", i, "x".repeat(200));
      }
      LOG.error("important");
      System.out.println("nobody waited");
      while (System.in.read() >= 0) {
        // Until the test closes it.
      }
      System.out.println(Logging.dropped() + " dropped");
      LOG.info("last words");
    }
  }
}
