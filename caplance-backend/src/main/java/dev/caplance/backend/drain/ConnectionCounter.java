package dev.caplance.backend.drain;

import java.io.IOException;

/** Counts the connections that the application still has. */
@FunctionalInterface
public interface ConnectionCounter {

  /**
   * Counts; may take a while.
   *
   * @throws IOException when it cannot be known, in words for operators
   */
  int count() throws IOException;
}
