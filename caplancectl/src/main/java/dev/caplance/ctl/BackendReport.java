package dev.caplance.ctl;

import java.time.Clock;

/** What a backend daemon says of itself, as text; the shape is in the package's description. */
final class BackendReport {

  private static final String REGISTERED = "registered";

  private final Answer backend;
  private final Clock clock;

  BackendReport(Answer backend, Clock clock) {
    this.backend = backend;
    this.clock = clock;
  }

  /** A line for the backend and one for each load balancer. */
  String concise() {
    Columns lines = new Columns("<<").row(backend.text("name"), Words.state(backend) + drain());
    for (Answer loadBalancer : backend.objects("loadBalancers")) {
      lines.row(Words.loadBalancer(loadBalancer), sentence(loadBalancer));
    }
    return lines.toString();
  }

  private String sentence(Answer loadBalancer) {
    StringBuilder text = new StringBuilder(session(loadBalancer));
    String acknowledged = Quantities.ago(loadBalancer.number("lastAckAgeMillis"));
    if (loadBalancer.text("state").equals(REGISTERED)) {
      text.append(acknowledged.isEmpty() ? "" : ", acknowledged " + acknowledged);
    } else {
      String since = Quantities.time(loadBalancer.text("since"), clock);
      String trouble = trouble(loadBalancer);
      text.append(since.isEmpty() ? "" : " since " + since)
          .append(trouble.isEmpty() ? "" : ": " + trouble);
    }
    return text.toString();
  }

  /** Everything: the backend, its sessions, and its packets with the reasons of refusal. */
  String full() {
    StringBuilder text = new StringBuilder();
    text.append(
        new Columns("<<")
            .row(backend.text("name"), Words.state(backend) + drain())
            .row("address", backend.text("address"))
            .row("VIPs", String.join(", ", backend.texts("vips")))
            .row("daemon", Words.daemon(backend, clock)));
    text.append('\n').append(sessions()).append('\n');
    if (!backend.objects("checks").isEmpty()) {
      text.append(checks()).append('\n');
    }
    text.append(Words.packets(backend.object("packets"), "delivered", "refused"));
    return text.toString();
  }

  /** How far a drain has come that is still what the backend does. */
  private String drain() {
    Answer drain = backend.object("drain");
    return drain.text("state").equals("draining") ? "; " + drain.text("text") : "";
  }

  private Columns checks() {
    Columns table = new Columns("<<<<").row("check", "target", "state", "since");
    for (Answer check : backend.objects("checks")) {
      table.row(
          check.text("type"),
          check.text("target"),
          Words.known(check.text("state")),
          Quantities.time(check.text("since"), clock));
      if (!check.text("lastError").isEmpty()) {
        table.note(check.text("lastError"));
      }
    }
    return table;
  }

  private Columns sessions() {
    Columns table =
        new Columns("<<<<<")
            .row("load balancer", "session", "acknowledged", "since", "packets from");
    for (Answer loadBalancer : backend.objects("loadBalancers")) {
      table.row(
          Words.loadBalancer(loadBalancer),
          session(loadBalancer),
          Quantities.ago(loadBalancer.number("lastAckAgeMillis")),
          Quantities.time(loadBalancer.text("since"), clock),
          loadBalancer.text("from"));
      String trouble = trouble(loadBalancer);
      if (!trouble.isEmpty()) {
        table.note(trouble);
      }
    }
    return table;
  }

  private static String session(Answer loadBalancer) {
    String state = Words.known(loadBalancer.text("state"));
    String operator = loadBalancer.text("operatorIntent");
    return operator.isEmpty() || operator.equals("active")
        ? state
        : state + ", " + operator + " by its operator";
  }

  private static String trouble(Answer loadBalancer) {
    String error = loadBalancer.text("lastError");
    Long next = loadBalancer.number("nextAttemptInMillis");
    if (next == null) {
      return error;
    }
    return (error.isEmpty() ? "" : error + "; ") + "next attempt in " + Quantities.span(next);
  }
}
