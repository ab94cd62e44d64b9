package dev.caplance.ctl;

/** What a load balancer says of where flows go, as text. */
final class RoutingReport {

  private RoutingReport() {}

  /** The answer of {@code explain}. */
  static String ofFlow(Answer found) {
    String slot = Quantities.count(found.number("slot"));
    String backend = found.text("backend");
    return new Columns("<<")
        .row("flow", found.text("flow"))
        .row("service", found.text("service"))
        .row("slot", slot.isEmpty() ? "" : slot + " of " + Quantities.count(found.number("slots")))
        .row("backend", backend.isEmpty() ? "" : backend + " (" + found.text("address") + ")")
        .row("why", Words.known(found.text("why")) + ": " + found.text("detail"))
        .toString();
  }

  /** The answer of {@code whatif}. */
  static String ofChange(Answer change) {
    Long slots = change.number("slots");
    Columns shares = new Columns("<>>").row("backend", "share now", "share then");
    for (Answer backend : change.objects("backends")) {
      shares.row(
          backend.text("name"),
          Quantities.percent(backend.number("before"), slots),
          Quantities.percent(backend.number("after"), slots));
    }
    Long between = change.number("movedBetweenOthers");
    return change.text("service")
        + ": "
        + Words.known(Quantities.percent(change.number("moved"), slots))
        + " of the new connections would go elsewhere; "
        + Words.known(Quantities.percent(between, slots))
        + " would change between other backends\n"
        + "(slots: "
        + Words.known(Quantities.count(change.number("moved")))
        + " and "
        + Words.known(Quantities.count(between))
        + " of "
        + Words.known(Quantities.count(slots))
        + "). Connections that exist stay where they are, unless their backend goes.\n\n"
        + shares;
  }
}
