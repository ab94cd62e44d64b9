package dev.caplance.preflight;

import dev.caplance.host.CommandRunner;
import java.util.List;

/**
 * The programs that a daemon runs.
 *
 * @param names the programs
 */
public record Programs(List<String> names) implements PreflightCheck {

  @Override
  public List<Finding> look() {
    return names.stream()
        .filter(name -> !CommandRunner.has(name))
        .map(
            name ->
                Finding.stops(
                    "the program '" + name + "' is missing",
                    "PATH and /usr/sbin",
                    CommandRunner.howToGet(name)))
        .toList();
  }
}
