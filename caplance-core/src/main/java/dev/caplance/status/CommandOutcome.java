package dev.caplance.status;

import java.util.List;
import java.util.Optional;

/**
 * What came of a command that changes a backend's intent: the result of the backend daemon's
 * methods {@code pause}, {@code resume}, {@code deregister} and {@code drain}.
 *
 * <p>{@code drain} takes the parameters {@code deadlineMillis} (a number; null or absent: no
 * deadline) and {@code wait} (whether to answer only when the drain is over; absent: false). A
 * drain that is under way gets the new deadline; nothing changes for the load balancers, so there
 * are no replies of theirs.
 *
 * @param name of the backend
 * @param intent that holds now; a load balancer that has not confirmed it learns it when the
 *     backend next registers
 * @param loadBalancers a reply for each, in the order of the configuration
 * @param drain only of the method {@code drain}
 */
public record CommandOutcome(
    String name,
    ReportedIntent intent,
    List<Reply> loadBalancers,
    Optional<BackendDaemonStatus.Drain> drain) {

  /**
   * What one load balancer replied.
   *
   * @param address of the load balancer
   * @param confirmed whether it does what it was told
   * @param answer its words, or why there are none
   */
  public record Reply(String address, Integer port, Boolean confirmed, String answer) {}
}
