package dev.caplance.host;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.util.stream.Stream;

/**
 * Takes several steps of which none may keep the others from being taken, and reports at the end
 * which of them failed. Used by one thread.
 */
public final class Failures {

  private IOException first;

  /** One step. */
  @FunctionalInterface
  public interface Step {
    void run() throws IOException;
  }

  /** Takes a step; if it fails, keeps the exception for later. */
  public void attempt(Step step) {
    try {
      step.run();
    } catch (IOException e) {
      if (first == null) {
        first = e;
      } else {
        first.addSuppressed(e);
      }
    }
  }

  /**
   * Ends a series of steps.
   *
   * @throws IOException the first failure, the others suppressed in it; nothing if all succeeded
   */
  public void throwIfAny() throws IOException {
    if (first != null) {
      throw first;
    }
  }

  /** The sentence about a failure and those about the failures suppressed in it, for a log line. */
  public static String describe(Throwable failure) {
    return Stream.concat(Stream.of(failure), Stream.of(failure.getSuppressed()))
        .map(Failures::sentence)
        .distinct()
        .collect(joining("; "));
  }

  /** Messages of ours say it all; those of others need the name of the exception, too. */
  private static String sentence(Throwable failure) {
    boolean ours = failure.getClass() == IOException.class || failure instanceof CommandException;
    return ours && failure.getMessage() != null ? failure.getMessage() : failure.toString();
  }
}
