package dev.caplance.preflight;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A directory that a daemon writes to, and makes if it is not there.
 *
 * @param key what it is called in the configuration
 */
public record WritableDirectory(String key, Path directory) implements PreflightCheck {

  @Override
  public List<Finding> look() {
    Path existing = directory.toAbsolutePath();
    while (existing.getParent() != null && Files.notExists(existing)) {
      existing = existing.getParent();
    }
    if (Files.isDirectory(existing) && Files.isWritable(existing)) {
      return List.of();
    }
    String user = System.getProperty("user.name");
    String problem =
        Files.isDirectory(existing) ? "is not writable for " + user : "is no directory";
    return List.of(
        Finding.stops(
            key + " " + directory + " cannot be used",
            existing + " " + problem,
            "install -d -m 750 -o " + user + " " + directory));
  }
}
