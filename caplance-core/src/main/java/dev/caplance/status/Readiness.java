package dev.caplance.status;

import static dev.caplance.status.StatusJson.known;

import java.util.List;

/**
 * Whether a load balancer serves: the result of its method {@code ready}.
 *
 * @param ready whether clients that send packets to it now are answered: its rules and VIPs are in
 *     place, backends can register, and at least one service has a backend that is active and
 *     healthy
 * @param reasons why it is not, a sentence each; empty if it is
 */
public record Readiness(Boolean ready, List<String> reasons) {

  /** Reads what is missing as not ready. */
  public Readiness {
    ready = ready != null && ready;
    reasons = known(reasons);
  }
}
