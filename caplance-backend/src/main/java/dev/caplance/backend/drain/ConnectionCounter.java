package dev.caplance.backend.drain;

import java.io.IOException;

/** Counts the connections that clients still have to the application. */
@FunctionalInterface
public interface ConnectionCounter {

  /**
   * Counts; may take a while.
   *
   * @throws IOException if they cannot be counted; the message is for operators
   */
  int count() throws IOException;
}
