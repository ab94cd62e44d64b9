package dev.caplance.backend.session;

import java.util.List;

/**
 * The outcome of a command.
 *
 * @param intent in force now; a load balancer that has not confirmed it is told at its next
 *     registration
 * @param answers one from each load balancer, in the order of the configuration
 */
public record CommandResult(BackendIntent intent, List<Answer> answers) {

  /**
   * The outcome at one load balancer.
   *
   * @param confirmed whether it confirmed the command
   * @param text its answer, or why there is none
   */
  public record Answer(LoadBalancerAddress loadBalancer, boolean confirmed, String text) {}
}
