package dev.caplance.ctl;

import java.util.List;

/**
 * A change of a backend's intent, and what to say of its outcome on each load balancer.
 *
 * <p>The daemon keeps the intent whatever the load balancers say, so what is not confirmed is still
 * to come.
 */
enum Change {
  DRAIN("drain", "draining on"),
  PAUSE("pause", "paused on"),
  RESUME("resume", "active on"),
  DEREGISTER("deregister", "deregistered from");

  private final String method;
  private final String outcome;

  Change(String method, String outcome) {
    this.method = method;
    this.outcome = outcome;
  }

  /** The daemon's method. */
  String method() {
    return method;
  }

  /** A line for each load balancer that has confirmed; of a drain that was under way, how it is. */
  String confirmed(Answer answer) {
    String name = Words.known(answer.text("name"));
    List<Answer> loadBalancers = answer.objects("loadBalancers");
    if (this == DRAIN && loadBalancers.isEmpty()) {
      return name + " goes on draining: " + Words.known(answer.object("drain").text("text")) + "\n";
    }
    StringBuilder lines = new StringBuilder();
    for (Answer loadBalancer : loadBalancers) {
      if (loadBalancer.flag("confirmed")) {
        lines.append(name + " is " + outcome + " " + Words.loadBalancer(loadBalancer) + "\n");
      }
    }
    return lines.toString();
  }

  /** A line for each load balancer that has not confirmed, then one of what holds now, if any. */
  String unconfirmed(Answer answer) {
    String name = Words.known(answer.text("name"));
    StringBuilder lines = new StringBuilder();
    for (Answer loadBalancer : answer.objects("loadBalancers")) {
      if (!loadBalancer.flag("confirmed")) {
        String reason = loadBalancer.text("answer");
        lines.append(name + " is not yet " + outcome + " " + Words.loadBalancer(loadBalancer));
        lines.append(": " + (reason.isEmpty() ? "no answer" : reason) + "\n");
      }
    }
    if (!lines.isEmpty()) {
      lines.append(name + " stays " + Words.known(answer.text("intent")));
      lines.append(", also when a load balancer comes back\n");
    }
    return lines.toString();
  }
}
