package dev.caplance.preflight;

import dev.caplance.linux.NativeCode;
import java.util.List;

/** Checks that native code can be loaded. */
public final class Loading implements Preflight.Check {

  @Override
  public List<Finding> findings() {
    return NativeCode.problem()
        .map(problem -> Finding.stops(problem.what(), "the daemon cannot start", problem.remedy()))
        .stream()
        .toList();
  }
}
