package dev.caplance.logging;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.joran.spi.ConsoleTarget;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.util.Duration;
import ch.qos.logback.core.util.FileSize;
import dev.caplance.config.LoggingConfig;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.LoggerFactory;

/**
 * Sends log messages to standard error, in the journal's format if that is systemd's journal, and
 * to a file if the configuration has one. Once configured, no thread waits for either: see {@link
 * LogQueue}.
 */
public final class Logging {

  private static final AtomicLong DROPPED = new AtomicLong();

  private Logging() {}

  /**
   * Applies a configuration; may be called again with another one. For one thread at a time.
   *
   * @throws IOException when the log file cannot be written; logging is then unchanged
   */
  public static void configure(LoggingConfig config) throws IOException {
    if (config.file().isPresent()) {
      requireWritable(config.file().get().path());
    }
    LoggerContext logback = (LoggerContext) LoggerFactory.getILoggerFactory();
    Logger root = replaceAppenders(logback, Level.convertAnSLF4JLevel(config.level()));
    root.addAppender(queue(logback, console(logback)));
    config.file().ifPresent(file -> root.addAppender(queue(logback, file(logback, file))));
  }

  /** Logs to standard error, and lets each thread write its messages itself. */
  static void logToConsole(LoggerContext logback, Level level) {
    replaceAppenders(logback, level).addAppender(console(logback));
  }

  /**
   * Writes what is waiting and ends the log; for the end of the process. Returns within two
   * seconds, even if nobody reads the log.
   */
  public static void close() {
    LoggerContext logback = (LoggerContext) LoggerFactory.getILoggerFactory();
    logback.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).detachAndStopAllAppenders();
  }

  /** How many messages were dropped since the process started, because nobody took them. */
  public static long dropped() {
    return DROPPED.get();
  }

  private static Logger replaceAppenders(LoggerContext logback, Level level) {
    Logger root = logback.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    root.setLevel(level);
    return root;
  }

  private static Appender<ILoggingEvent> queue(
      LoggerContext logback, Appender<ILoggingEvent> destination) {
    LogQueue queue = new LogQueue(logback.getLogger(Logging.class), destination, DROPPED);
    queue.start();
    return queue;
  }

  private static Appender<ILoggingEvent> console(LoggerContext logback) {
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(logback);
    console.setName("to standard error");
    console.setTarget(ConsoleTarget.SystemErr.getName());
    console.setEncoder(encoder(logback, LogLayout.forStandardError()));
    console.start();
    return console;
  }

  private static Appender<ILoggingEvent> file(LoggerContext logback, LoggingConfig.LogFile config) {
    RollingFileAppender<ILoggingEvent> file = new RollingFileAppender<>();
    file.setContext(logback);
    file.setName("to a file");
    file.setFile(config.path().toString());
    file.setEncoder(encoder(logback, LogLayout.withTime()));

    FixedWindowRollingPolicy renaming = new FixedWindowRollingPolicy();
    renaming.setContext(logback);
    renaming.setParent(file);
    renaming.setFileNamePattern(config.path() + ".%i");
    renaming.setMinIndex(1);
    renaming.setMaxIndex(config.keep());
    renaming.start();
    file.setRollingPolicy(renaming);

    SizeBasedTriggeringPolicy<ILoggingEvent> size = new SizeBasedTriggeringPolicy<>();
    size.setContext(logback);
    size.setMaxFileSize(new FileSize(config.maxSize()));
    size.setCheckIncrement(Duration.buildByMilliseconds(0));
    size.start();
    file.setTriggeringPolicy(size);

    file.start();
    return file;
  }

  /** Logback itself would report the failure only to its own status list. */
  private static void requireWritable(Path file) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new IOException(
          "cannot write the log file " + file + ": it exists and is not a regular file");
    }
    try {
      Files.createDirectories(file.getParent());
      Files.newByteChannel(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND).close();
      if (!Files.isWritable(file.getParent())) {
        throw new AccessDeniedException(file.getParent().toString());
      }
    } catch (AccessDeniedException e) {
      throw new IOException(
          "cannot write the log file "
              + file
              + ": no permission for "
              + e.getFile()
              + "; change its owner, or set another path at 'logging' in the configuration",
          e);
    } catch (IOException e) {
      throw new IOException("cannot write the log file " + file + ": " + e, e);
    }
  }

  private static LayoutWrappingEncoder<ILoggingEvent> encoder(
      LoggerContext logback, LogLayout layout) {
    layout.setContext(logback);
    layout.start();
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setContext(logback);
    encoder.setCharset(UTF_8);
    encoder.setLayout(layout);
    encoder.start();
    return encoder;
  }
}
