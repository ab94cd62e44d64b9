package dev.caplance.ctl;

import dev.caplance.status.BackendDaemonStatus.Drain;
import dev.caplance.status.CommandOutcome;
import java.util.function.Predicate;

/**
 * A command that changes a backend's intent, and what to say of its outcome on each load balancer.
 *
 * <p>The daemon keeps the intent whatever the load balancers reply, so one that has not confirmed
 * yet will do so later.
 */
enum IntentCommand {
  DRAIN("drain", "draining on"),
  PAUSE("pause", "paused on"),
  RESUME("resume", "active on"),
  DEREGISTER("deregister", "deregistered from");

  private final String method;
  private final String outcome;

  IntentCommand(String method, String outcome) {
    this.method = method;
    this.outcome = outcome;
  }

  /** The daemon's method. */
  String method() {
    return method;
  }

  /** A line for each load balancer that has confirmed, or the progress of an earlier drain. */
  String confirmed(CommandOutcome result) {
    String name = Words.known(result.name());
    if (this == DRAIN && result.loadBalancers().isEmpty()) {
      String progress = result.drain().map(Drain::text).orElse(null);
      return name + " is still draining: " + Words.known(progress) + "\n";
    }
    StringBuilder lines = new StringBuilder();
    result.loadBalancers().stream()
        .filter(IntentCommand::isConfirmed)
        .forEach(reply -> lines.append(name + " is " + outcome + " " + loadBalancer(reply) + "\n"));
    return lines.toString();
  }

  /** A line for each load balancer that has not confirmed, then one about the intent, if any. */
  String unconfirmed(CommandOutcome result) {
    String name = Words.known(result.name());
    StringBuilder lines = new StringBuilder();
    result.loadBalancers().stream()
        .filter(Predicate.not(IntentCommand::isConfirmed))
        .forEach(
            reply -> {
              lines.append(name + " is not yet " + outcome + " " + loadBalancer(reply) + ": ");
              lines.append(Words.isKnown(reply.answer()) ? reply.answer() : "no answer");
              lines.append('\n');
            });
    if (!lines.isEmpty()) {
      lines.append(name + " remains " + Words.known(result.intent()));
      lines.append("; load balancers that come back will be told\n");
    }
    return lines.toString();
  }

  private static boolean isConfirmed(CommandOutcome.Reply reply) {
    return Boolean.TRUE.equals(reply.confirmed());
  }

  private static String loadBalancer(CommandOutcome.Reply reply) {
    return Words.loadBalancer(reply.address(), reply.port());
  }
}
