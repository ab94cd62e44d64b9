package dev.caplance.preflight;

import java.io.IOException;
import java.util.List;

/** Checks one aspect of this machine, without changing anything. */
@FunctionalInterface
public interface PreflightCheck {

  /**
   * Checks.
   *
   * @return empty if nothing is wrong
   * @throws IOException when it cannot check; the message is for the operator
   */
  List<Finding> findings() throws IOException;
}
