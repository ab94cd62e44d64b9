package dev.caplance.daemon;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps that undo what a start does, noted while it is done. They are taken in the opposite
 * order, each whether or not the ones before it succeeded. Used by one thread.
 */
public final class Cleanup {

  private static final Logger LOG = LoggerFactory.getLogger(Cleanup.class);

  private final Deque<Step> steps = new ArrayDeque<>();

  /** Undoes one thing. */
  @FunctionalInterface
  public interface Action {
    void run() throws IOException;
  }

  private record Step(String what, Action action) {}

  /**
   * Notes a step.
   *
   * @param what what it does, completing "cannot …"
   */
  public void atStop(String what, Action action) {
    steps.push(new Step(what, action));
  }

  /** Takes all steps; one that fails is logged. */
  public void run() {
    while (!steps.isEmpty()) {
      Step step = steps.pop();
      try {
        step.action().run();
      } catch (IOException | RuntimeException e) {
        LOG.error("cannot {}: {}", step.what(), e.getMessage(), e);
      }
    }
  }
}
