package dev.caplance.backend.session;

import dev.caplance.backend.session.CommandResult.Answer;
import dev.caplance.backend.session.Unanswered.Reply;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A command under way: waits until every load balancer has answered it. */
final class Answers {

  private final BackendIntent intent;
  private final CompletableFuture<CommandResult> result;
  private final Answer[] answers;
  private int missing;

  /**
   * @param intent that the command leads to
   * @param loadBalancers how many will answer
   * @param result completed by the last answer
   */
  Answers(BackendIntent intent, int loadBalancers, CompletableFuture<CommandResult> result) {
    this.intent = intent;
    this.result = result;
    this.answers = new Answer[loadBalancers];
    this.missing = loadBalancers;
  }

  /** Takes the answer of one load balancer, the index-th of the configuration. */
  Reply of(int index, LoadBalancer loadBalancer) {
    return (confirmed, text) -> {
      answers[index] = new Answer(loadBalancer, confirmed, text);
      if (--missing == 0) {
        result.complete(new CommandResult(intent, List.copyOf(Arrays.asList(answers))));
      }
    };
  }
}
