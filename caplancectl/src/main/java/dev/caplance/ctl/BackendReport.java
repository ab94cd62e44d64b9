package dev.caplance.ctl;

import dev.caplance.status.BackendDaemonStatus;
import dev.caplance.status.BackendDaemonStatus.Check;
import dev.caplance.status.BackendDaemonStatus.Drain;
import dev.caplance.status.BackendDaemonStatus.DrainState;
import dev.caplance.status.BackendDaemonStatus.Health;
import dev.caplance.status.BackendDaemonStatus.Packets;
import dev.caplance.status.BackendDaemonStatus.Session;
import dev.caplance.status.BackendDaemonStatus.SessionState;
import dev.caplance.status.ReportedIntent;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/** The status of a backend daemon as text. */
final class BackendReport {

  private final BackendDaemonStatus backend;
  private final Clock clock;

  BackendReport(BackendDaemonStatus backend, Clock clock) {
    this.backend = backend;
    this.clock = clock;
  }

  /** A line for the backend and one for each load balancer. */
  String concise() {
    Columns lines = new Columns("<<").row(backend.name(), state());
    for (Session session : backend.loadBalancers()) {
      lines.row(Words.loadBalancer(session.address(), session.port()), sentence(session));
    }
    return lines.toString();
  }

  /** Intent, health and, while it is under way, the progress of a drain. */
  private String state() {
    Health health = backend.health();
    String state = Words.state(backend.intent(), health.state(), health.code(), health.reason());
    Drain drain = backend.drain();
    return drain != null && drain.state() == DrainState.DRAINING
        ? state + "; " + Words.known(drain.text())
        : state;
  }

  private String sentence(Session session) {
    StringBuilder text = new StringBuilder(state(session));
    if (session.state() == SessionState.REGISTERED) {
      String acknowledged = Quantities.ago(session.lastAckAgeMillis());
      text.append(acknowledged.isEmpty() ? "" : ", acknowledged " + acknowledged);
      String trouble = trouble(session);
      text.append(trouble.isEmpty() ? "" : ": " + trouble);
    } else {
      String since = Quantities.time(session.since(), clock);
      String trouble = trouble(session);
      text.append(since.isEmpty() ? "" : " since " + since)
          .append(trouble.isEmpty() ? "" : ": " + trouble);
    }
    return text.toString();
  }

  /** Everything: the backend, its sessions, its checks, and its packets by reason of refusal. */
  String full() {
    StringBuilder text = new StringBuilder();
    text.append(
        new Columns("<<")
            .row(backend.name(), state())
            .row("address", backend.address())
            .row("VIPs", String.join(", ", backend.vips()))
            .row("daemon", Words.daemon(backend.version(), backend.startedAt(), clock)));
    text.append('\n').append(sessions()).append('\n');
    if (!backend.checks().isEmpty()) {
      text.append(checks()).append('\n');
    }
    Packets packets = backend.packets();
    text.append(
        Words.packets(
            packets.received(),
            "delivered",
            packets.delivered(),
            packets.bytes(),
            "refused",
            packets.refused()));
    return text.toString();
  }

  private Columns checks() {
    Columns table = new Columns("<<<<").row("check", "target", "state", "since");
    for (Check check : backend.checks()) {
      table.row(
          check.type(),
          check.target(),
          Words.known(check.state()),
          Quantities.time(check.since(), clock));
      if (Words.isKnown(check.lastError())) {
        table.note(check.lastError());
      }
    }
    return table;
  }

  private Columns sessions() {
    Columns table =
        new Columns("<<<<<")
            .row("load balancer", "session", "acknowledged", "since", "packets from");
    for (Session session : backend.loadBalancers()) {
      table.row(
          Words.loadBalancer(session.address(), session.port()),
          state(session),
          Quantities.ago(session.lastAckAgeMillis()),
          Quantities.time(session.since(), clock),
          session.from());
      String trouble = trouble(session);
      if (!trouble.isEmpty()) {
        table.note(trouble);
      }
    }
    return table;
  }

  private static String state(Session session) {
    String state = Words.known(session.state());
    ReportedIntent operator = session.operatorIntent();
    return operator == null || operator == ReportedIntent.ACTIVE
        ? state
        : state + ", " + Words.known(operator) + " by its operator";
  }

  private static String trouble(Session session) {
    List<String> troubles = new ArrayList<>();
    if (Words.isKnown(session.lastError())) {
      troubles.add(session.lastError());
    }
    if (session.nextAttemptInMillis() != null) {
      troubles.add("next attempt in " + Quantities.span(session.nextAttemptInMillis()));
    }
    if (session.path() != null && Boolean.FALSE.equals(session.path().arrives())) {
      String last = Quantities.ago(session.path().lastProbeAgeMillis());
      troubles.add("its packets do not arrive" + (last.isEmpty() ? "" : ", the last one " + last));
    }
    if (Integer.valueOf(0).equals(session.services())) {
      troubles.add("it has no service that this backend serves, so it sends nothing");
    }
    if (!session.unknownServices().isEmpty()) {
      troubles.add("it has no service " + String.join(", ", session.unknownServices()));
    }
    return String.join("; ", troubles);
  }
}
