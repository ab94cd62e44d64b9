package dev.caplance.backend.drain;

import java.io.IOException;
import java.time.Duration;

/** Counts what clients still have going with the application. */
@FunctionalInterface
public interface FlowCounter {

  /**
   * Counts; may take a while.
   *
   * @param heardWithin connections of which nothing was heard for longer do not count
   * @throws IOException if they cannot be counted; the message is for operators
   */
  OngoingFlows count(Duration heardWithin) throws IOException;
}
