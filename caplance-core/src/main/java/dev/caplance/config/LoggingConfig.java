package dev.caplance.config;

import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.event.Level;

/**
 * The {@code logging} section of both daemons.
 *
 * @param level the lowest level that is logged
 * @param file where to log besides the console or journal
 */
public record LoggingConfig(Level level, Optional<LogFile> file) {

  /**
   * A log file that is rotated when it is full.
   *
   * @param path absolute; older files get {@code .1}, {@code .2}, … appended
   * @param maxSize in bytes; slightly more may be written before the rotation
   * @param keep how many older files to keep, 1 to 20
   */
  public record LogFile(Path path, long maxSize, int keep) {}

  /** Reads the section; {@code defaultPath} is for a file section without a path. */
  public static LoggingConfig read(ConfigSection section, Path defaultPath) {
    return new LoggingConfig(
        section.get("level", Values.oneOf(Level.class), Level.INFO),
        section.findSection(
            "file",
            file ->
                new LogFile(
                    file.get("path", logFilePath(), defaultPath),
                    file.get("maxSize", Values.size(10L << 10, 10L << 30), 10L << 20),
                    file.get("keep", Values.integer(1, 20), 7))));
  }

  /** Logback gives these two characters a meaning of its own in the names of older files. */
  private static ValueParser<Path> logFilePath() {
    return Values.absolutePath()
        .unless(
            path -> path.getFileName() == null,
            path -> Values.quote(path.toString()) + " is a directory; name a file in it")
        .unless(
            path -> path.toString().matches("(?s).*[%\\\\].*"),
            path -> Values.quote(path.toString()) + " contains a % or \\; choose another name");
  }
}
