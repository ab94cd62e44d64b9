package dev.caplance.ctl;

import java.time.Clock;
import java.util.List;

/** What a load balancer says of itself, as text; the shape is in the package's description. */
final class LoadBalancerReport {

  private final Answer loadBalancer;
  private final Clock clock;

  LoadBalancerReport(Answer loadBalancer, Clock clock) {
    this.loadBalancer = loadBalancer;
    this.clock = clock;
  }

  /** Services, backends, packets with the reasons of drops, and workers. */
  String full() {
    return "load balancer "
        + Words.daemon(loadBalancer, clock)
        + "\n\n"
        + services()
        + "\n"
        + backends()
        + "\n"
        + Words.packets(loadBalancer.object("packets"), "forwarded", "dropped")
        + otherTraffic()
        + "\n"
        + workers();
  }

  private Columns services() {
    Columns table =
        new Columns("<<<<>><")
            .row("service", "VIP", "ports", "state", "backends", "keep flows", "2019 backends");
    for (Answer service : loadBalancer.objects("services")) {
      table.row(
          service.text("name"),
          service.text("vip"),
          service.text("ports"),
          Words.known(service.text("state")),
          Quantities.count(service.number("backends")),
          Quantities.count(service.number("keeping")),
          service.flag("legacy") ? "yes" : "no");
    }
    return table;
  }

  private String backends() {
    List<Answer> backends = loadBalancer.objects("backends");
    if (backends.isEmpty()) {
      return "no backend is registered\n";
    }
    Columns table =
        new Columns("<<<<><><>><<")
            .row(
                "backend",
                "address",
                "state",
                "new flows",
                "weight",
                "services",
                "last word",
                "registered",
                "packets",
                "bytes",
                "session",
                "protocol");
    for (Answer backend : backends) {
      table.row(
          backend.text("name"),
          backend.text("address"),
          Words.state(backend),
          backend.flag("takesNewFlows") ? "yes" : "no",
          Quantities.count(backend.number("weight")),
          services(backend),
          Quantities.ago(backend.number("lastWordAgeMillis")),
          Quantities.time(backend.text("registeredAt"), clock),
          Quantities.count(backend.number("packets")),
          Quantities.bytes(backend.number("bytes")),
          backend.text("session"),
          backend.text("version"));
    }
    return table.toString();
  }

  private static String services(Answer backend) {
    List<String> services = backend.texts("services");
    return services.isEmpty() ? "all" : String.join(",", services);
  }

  private String otherTraffic() {
    StringBuilder lines = new StringBuilder();
    for (Answer vip : loadBalancer.objects("otherTraffic")) {
      lines.append(Quantities.count(vip.number("dropped")) + " packets of no service dropped for ");
      lines.append(vip.text("vip") + "\n");
    }
    return lines.toString();
  }

  private Columns workers() {
    Columns table =
        new Columns(">>>>>>>>")
            .row(
                "queue",
                "packets",
                "batches",
                "per batch",
                "verdicts",
                "flows",
                "not kept",
                "allocated");
    for (Answer worker : loadBalancer.objects("workers")) {
      table.row(
          Quantities.count(worker.number("queue")),
          Quantities.count(worker.number("packets")),
          Quantities.count(worker.number("batches")),
          Quantities.ratio(worker.number("packets"), worker.number("batches")),
          Quantities.count(worker.number("verdicts")),
          Quantities.count(worker.number("flows")),
          Quantities.count(worker.number("flowsNotKept")),
          Quantities.bytes(worker.number("allocatedBytes")));
    }
    return table;
  }
}
