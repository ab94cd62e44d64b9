package dev.caplance.preflight;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The checks of a daemon, made one after the other. */
public final class Preflight {

  private final List<PreflightCheck> checks;

  public Preflight(List<PreflightCheck> checks) {
    this.checks = List.copyOf(checks);
  }

  /** Makes all checks. One that cannot look is a finding, and keeps no other from looking. */
  public List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    for (PreflightCheck check : checks) {
      try {
        findings.addAll(check.look());
      } catch (IOException e) {
        findings.add(
            Finding.warns("not everything could be looked at", e.getMessage(), "mend that first"));
      }
    }
    return findings.stream().distinct().toList();
  }
}
