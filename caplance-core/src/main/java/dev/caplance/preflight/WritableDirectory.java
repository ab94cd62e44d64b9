package dev.caplance.preflight;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Checks a directory that a daemon writes to, and creates if it does not exist.
 *
 * @param key its name in the configuration
 */
public record WritableDirectory(String key, Path directory) implements Preflight.Check {

  @Override
  public List<Finding> findings() {
    Path existing = directory.toAbsolutePath();
    while (existing.getParent() != null && Files.notExists(existing)) {
      existing = existing.getParent();
    }
    if (Files.isDirectory(existing) && Files.isWritable(existing)) {
      return List.of();
    }
    String user = System.getProperty("user.name");
    String problem =
        Files.isDirectory(existing) ? "is not writable by user " + user : "is not a directory";
    return List.of(
        Finding.stops(
            key + " " + directory + " cannot be used",
            existing + " " + problem,
            "install -d -m 750 -o " + user + " " + directory));
  }
}
