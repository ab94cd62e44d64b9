package dev.caplance.preflight;

import dev.caplance.host.CommandRunner;
import java.util.List;

/** Checks that the programs which a daemon runs are installed. */
public record Programs(List<String> names) implements Preflight.Check {

  @Override
  public List<Finding> findings() {
    return names.stream()
        .filter(name -> !CommandRunner.has(name))
        .map(
            name ->
                Finding.stops(
                    "the program '" + name + "' is missing",
                    "neither in PATH nor in /usr/sbin",
                    CommandRunner.howToGet(name)))
        .toList();
  }
}
