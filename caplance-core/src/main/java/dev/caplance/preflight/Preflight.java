package dev.caplance.preflight;

import dev.caplance.host.Failures;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The checks of a daemon, run one after another. */
public final class Preflight {

  private final List<Check> checks;

  public Preflight(List<Check> checks) {
    this.checks = List.copyOf(checks);
  }

  /** Runs all checks. One that fails is a finding, and does not keep the others from running. */
  public List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    for (Check check : checks) {
      try {
        findings.addAll(check.findings());
      } catch (IOException | RuntimeException e) {
        findings.add(
            Finding.warns(
                "not everything could be checked",
                Failures.describe(e),
                "fix this first, then repeat the check"));
      }
    }
    return findings.stream().distinct().toList();
  }

  /** Checks one aspect of this machine, without changing anything. */
  @FunctionalInterface
  public interface Check {

    /**
     * Checks.
     *
     * @return empty if nothing is wrong
     * @throws IOException when it cannot check; the message is for the operator
     */
    List<Finding> findings() throws IOException;
  }
}
