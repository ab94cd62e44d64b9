package dev.caplance.ctl;

import dev.caplance.status.FlowExplanation;
import dev.caplance.status.WhatIfResult;

/** Where a load balancer sends flows, as text. */
final class RoutingReport {

  private RoutingReport() {}

  static String of(FlowExplanation flow) {
    String slot = Quantities.count(flow.slot());
    String address = Words.isKnown(flow.address()) ? " (" + flow.address() + ")" : "";
    return new Columns("<<")
        .row("flow", flow.flow())
        .row("service", flow.service())
        .row("slot", slot.isEmpty() ? "" : slot + " of " + Quantities.count(flow.slots()))
        .row("backend", Words.isKnown(flow.backend()) ? flow.backend() + address : "")
        .row("why", Words.known(flow.why()) + ": " + Words.known(flow.detail()))
        .toString();
  }

  static String of(WhatIfResult result) {
    Columns shares = new Columns("<>>").row("backend", "share now", "share after");
    for (WhatIfResult.Share share : result.backends()) {
      shares.row(
          share.name(),
          Quantities.percent(share.before(), result.slots()),
          Quantities.percent(share.after(), result.slots()));
    }
    return Words.known(result.service())
        + ": "
        + Words.known(Quantities.percent(result.moved(), result.slots()))
        + " of new connections would go to another backend; "
        + Words.known(Quantities.percent(result.movedBetweenOthers(), result.slots()))
        + " would move between the other backends\n("
        + Words.known(Quantities.count(result.moved()))
        + " and "
        + Words.known(Quantities.count(result.movedBetweenOthers()))
        + " of "
        + Words.known(Quantities.count(result.slots()))
        + " slots). Existing connections stay where they are unless their backend goes away.\n\n"
        + shares;
  }
}
