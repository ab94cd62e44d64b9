package dev.caplance.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LogLayoutTest {

  private static final Instant NOON = Instant.parse("2026-07-01T12:00:00.042Z");

  private static LoggingEvent event(Level level, String message, Throwable thrown) {
    LoggingEvent event =
        new LoggingEvent(
            "",
            new LoggerContext().getLogger("dev.caplance.host.Journal"),
            level,
            message,
            thrown,
            null);
    event.setInstant(NOON);
    return event;
  }

  @ParameterizedTest
  @CsvSource({
    "ERROR, <3>text",
    "WARN, <4>text",
    "INFO, <6>text",
    "DEBUG, <7>Journal: text",
    "TRACE, <7>Journal: text"
  })
  void theJournalGetsPrioritiesAndNoTime(String level, String line) {
    assertThat(LogLayout.forJournal().doLayout(event(Level.toLevel(level), "text", null)))
        .isEqualTo(line + "\n");
  }

  @ParameterizedTest
  @CsvSource({
    "ERROR, 'ERROR text'",
    "WARN, 'WARN  text'",
    "INFO, 'INFO  text'",
    "DEBUG, 'DEBUG Journal: text'"
  })
  void elsewhereLinesHaveTimeAndLevel(String level, String end) {
    String line = LogLayout.withTime().doLayout(event(Level.toLevel(level), "text", null));
    assertThat(line).endsWith(" " + end + "\n");
    String time = line.substring(0, line.indexOf(' '));
    assertThat(OffsetDateTime.parse(time))
        .isEqualTo(NOON.atZone(ZoneId.systemDefault()).toOffsetDateTime());
  }

  @Test
  void eachLineOfAnExceptionHasThePriority() {
    Exception thrown =
        new IllegalStateException("outer", new IOException("in\nner <0>forged", null));
    thrown.addSuppressed(new IOException((String) null));
    List<String> lines =
        LogLayout.forJournal().doLayout(event(Level.ERROR, "failed", thrown)).lines().toList();
    assertThat(lines).allMatch(line -> line.startsWith("<3>"));
    assertThat(lines)
        .startsWith("<3>failed", "<3>    java.lang.IllegalStateException: outer")
        .contains("<3>    suppressed: java.io.IOException: null")
        .contains("<3>    caused by: java.io.IOException: in\\nner <0>forged")
        .anyMatch(line -> line.startsWith("<3>        at " + LogLayoutTest.class.getName() + "."));
  }

  @Test
  void anExceptionThatCausesItselfEnds() {
    Exception first = new Exception("first");
    Exception second = new Exception("second", first);
    first.initCause(second);
    assertThat(LogLayout.withTime().doLayout(event(Level.ERROR, "failed", first)))
        .contains("first")
        .contains("second");
  }

  @Test
  void textFromTheNetworkCannotForgeLinesOrCommandATerminal() {
    String hostile =
        "x\n<0>forged\r\0\u001b[2J\u007f\u0085\u009b\u2028\u2029\u202e\ud800\t\ud83d\ude00 ü";
    assertThat(LogLayout.forJournal().doLayout(event(Level.INFO, hostile, null)))
        .isEqualTo(
            "<6>x\\n<0>forged\\r\\u0000\\u001b[2J\\u007f\\u0085\\u009b\\u2028\\u2029\\u202e"
                + "\\ud800\\t\ud83d\ude00 ü\n");
  }

  @Test
  void theJournalIsKnownByItsStream(@TempDir Path directory) throws IOException {
    Path stream = Files.createFile(directory.resolve("stream"));
    Path other = Files.createFile(directory.resolve("other"));
    Map<String, Object> identity = Files.readAttributes(stream, "unix:dev,ino");
    Map<String, String> environment =
        Map.of("JOURNAL_STREAM", identity.get("dev") + ":" + identity.get("ino"));
    assertThat(LogLayout.isJournal(environment, stream)).isTrue();
    assertThat(LogLayout.isJournal(environment, other)).isFalse();
    assertThat(LogLayout.isJournal(environment, directory.resolve("absent"))).isFalse();
    assertThat(LogLayout.isJournal(Map.of("INVOCATION_ID", "5"), stream)).isFalse();
  }
}
