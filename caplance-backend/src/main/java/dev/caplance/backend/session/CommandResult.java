package dev.caplance.backend.session;

import dev.caplance.backend.session.CommandResult.Answer;
import dev.caplance.backend.session.Requests.Reply;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

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

  /** Collects the replies to one command until every load balancer has answered it. */
  static final class Collector {

    private final BackendIntent intent;
    private final CompletableFuture<CommandResult> result;
    private final Answer[] answers;
    private int missing;

    /**
     * @param intent that the command sets
     * @param loadBalancers how many will answer
     * @param result completed by the last answer, or at once if nobody will answer
     */
    Collector(BackendIntent intent, int loadBalancers, CompletableFuture<CommandResult> result) {
      this.intent = intent;
      this.result = result;
      this.answers = new Answer[loadBalancers];
      this.missing = loadBalancers;
      completeIfAllAnswered();
    }

    /** Takes the answer of one load balancer, whose place in the result is the index. */
    Reply of(int index, LoadBalancerAddress loadBalancer) {
      return (confirmed, text) -> {
        answers[index] = new Answer(loadBalancer, confirmed, text);
        missing--;
        completeIfAllAnswered();
      };
    }

    private void completeIfAllAnswered() {
      if (missing == 0) {
        result.complete(new CommandResult(intent, List.copyOf(Arrays.asList(answers))));
      }
    }
  }
}
