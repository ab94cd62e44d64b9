package dev.caplance.config;

import java.util.List;
import java.util.stream.Collectors;

/** A configuration file cannot be used. The message has one line for each mistake. */
public final class ConfigException extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient List<Problems.Problem> problems;

  ConfigException(List<Problems.Problem> problems) {
    super(problems.stream().map(Problems.Problem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  /** All mistakes of the file, at least one, in the order of their positions. */
  public List<Problems.Problem> problems() {
    return problems;
  }
}
