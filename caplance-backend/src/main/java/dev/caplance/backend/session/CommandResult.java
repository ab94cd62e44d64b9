package dev.caplance.backend.session;

import java.util.List;

/**
 * What came of a command.
 *
 * @param intent that holds now; a load balancer that has not confirmed it is told at its next
 *     registration
 * @param answers one from each load balancer, in the order of the configuration
 */
public record CommandResult(BackendIntent intent, List<Answer> answers) {

  /**
   * What one load balancer made of it.
   *
   * @param confirmed whether it said that it does what it was told
   * @param text its answer, or why there is none
   */
  public record Answer(LoadBalancer loadBalancer, boolean confirmed, String text) {}
}
