package dev.caplance.backend.session;

import dev.caplance.backend.session.CommandResult.Answer;
import dev.caplance.backend.session.Requests.Reply;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Collects the replies to one command until every load balancer has answered it. */
final class CommandReplies {

  private final BackendIntent intent;
  private final CompletableFuture<CommandResult> result;
  private final Answer[] answers;
  private int missing;

  /**
   * @param intent that the command sets
   * @param loadBalancers how many will answer
   * @param result completed by the last answer, or at once if nobody will answer
   */
  CommandReplies(BackendIntent intent, int loadBalancers, CompletableFuture<CommandResult> result) {
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
