package dev.caplance.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.LayoutBase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One line for each message, and indented lines for an exception. Either with time and level or,
 * for the journal, as in sd-daemon(3): each line with its priority in angle brackets and without
 * the time, which the journal adds.
 *
 * <p>Messages quote text from the network. No such text can end a line, begin one that looks like
 * another message, or send commands to a terminal: what does not print is escaped.
 */
final class LogLayout extends LayoutBase<ILoggingEvent> {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSXXX").withZone(ZoneId.systemDefault());

  private final boolean forJournal;

  private LogLayout(boolean forJournal) {
    this.forJournal = forJournal;
  }

  static LogLayout withTime() {
    return new LogLayout(false);
  }

  static LogLayout forJournal() {
    return new LogLayout(true);
  }

  static LogLayout forStandardError() {
    return new LogLayout(isJournal(System.getenv(), Path.of("/proc/self/fd/2")));
  }

  /** Whether a stream is the one that systemd has connected to the journal (systemd.exec(5)). */
  static boolean isJournal(Map<String, String> environment, Path stream) {
    String journal = environment.get("JOURNAL_STREAM");
    if (journal == null) {
      return false;
    }
    try {
      Map<String, Object> identity = Files.readAttributes(stream, "unix:dev,ino");
      return journal.equals(identity.get("dev") + ":" + identity.get("ino"));
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder text = new StringBuilder(160);
    String prefix = forJournal ? "<" + priority(event.getLevel()) + ">" : "";
    Consumer<String> lines = line -> text.append(prefix).append(line).append('\n');
    lines.accept(head(event) + printable(event.getFormattedMessage()));
    if (event.getThrowableProxy() != null) {
      describe(event.getThrowableProxy(), "", lines);
    }
    return text.toString();
  }

  private String head(ILoggingEvent event) {
    String source = "";
    if (!event.getLevel().isGreaterOrEqual(Level.INFO)) {
      String logger = event.getLoggerName();
      source = logger.substring(logger.lastIndexOf('.') + 1) + ": ";
    }
    if (forJournal) {
      return source;
    }
    String time = TIME.format(Instant.ofEpochMilli(event.getTimeStamp()));
    return String.format("%s %-5s %s", time, event.getLevel(), source);
  }

  private static void describe(IThrowableProxy thrown, String role, Consumer<String> lines) {
    lines.accept(
        "    " + role + thrown.getClassName() + ": " + printable("" + thrown.getMessage()));
    if (thrown.isCyclic()) {
      return;
    }
    StackTraceElementProxy[] frames = thrown.getStackTraceElementProxyArray();
    int own = frames.length - thrown.getCommonFrames();
    for (int i = 0; i < own; i++) {
      lines.accept("        " + frames[i].getSTEAsString());
    }
    for (IThrowableProxy suppressed : thrown.getSuppressed()) {
      describe(suppressed, "suppressed: ", lines);
    }
    if (thrown.getCause() != null) {
      describe(thrown.getCause(), "caused by: ", lines);
    }
  }

  /** The priority in syslog(3) of each of our levels. */
  private static int priority(Level level) {
    return switch (level.toInt()) {
      case Level.ERROR_INT -> 3;
      case Level.WARN_INT -> 4;
      case Level.INFO_INT -> 6;
      default -> 7;
    };
  }

  /** The text with control characters, line separators and invisible marks escaped as in Java. */
  static String printable(String text) {
    StringBuilder printable = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              switch (Character.getType(c)) {
                case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED ->
                    printable.append(escape(c));
                default -> printable.appendCodePoint(c);
              }
            });
    return printable.toString();
  }

  private static String escape(int c) {
    return switch (c) {
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> String.format(c > 0xffff ? "\\U%08x" : "\\u%04x", c);
    };
  }
}
