package dev.caplance.preflight;

import java.io.IOException;
import java.util.List;

/** Looks at one thing of the machine and changes nothing. */
@FunctionalInterface
public interface PreflightCheck {

  /**
   * Looks.
   *
   * @return empty when all is well
   * @throws IOException when it cannot look, in words for the operator
   */
  List<Finding> look() throws IOException;
}
