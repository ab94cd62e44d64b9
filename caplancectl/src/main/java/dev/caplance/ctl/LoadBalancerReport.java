package dev.caplance.ctl;

import dev.caplance.status.LoadBalancerStatus;
import dev.caplance.status.LoadBalancerStatus.Backend;
import dev.caplance.status.LoadBalancerStatus.Health;
import dev.caplance.status.LoadBalancerStatus.OtherTraffic;
import dev.caplance.status.LoadBalancerStatus.Packets;
import dev.caplance.status.LoadBalancerStatus.Path;
import dev.caplance.status.LoadBalancerStatus.Service;
import dev.caplance.status.LoadBalancerStatus.Worker;
import java.time.Clock;

/** The status of a load balancer as text. */
final class LoadBalancerReport {

  private final LoadBalancerStatus loadBalancer;
  private final Clock clock;

  LoadBalancerReport(LoadBalancerStatus loadBalancer, Clock clock) {
    this.loadBalancer = loadBalancer;
    this.clock = clock;
  }

  /** Services, backends, packets with the reasons of drops, and workers. */
  String full() {
    return "load balancer "
        + Words.daemon(loadBalancer.version(), loadBalancer.startedAt(), clock)
        + "\n\n"
        + services()
        + "\n"
        + backends()
        + "\n"
        + packets()
        + otherTraffic()
        + "\n"
        + workers();
  }

  private Columns services() {
    Columns table =
        new Columns("<<<<>><")
            .row("service", "VIP", "ports", "state", "backends", "existing only", "2019 backends");
    for (Service service : loadBalancer.services()) {
      table.row(
          service.name(),
          service.vip(),
          service.ports(),
          Words.known(service.state()),
          Quantities.count(service.backends()),
          Quantities.count(service.keeping()),
          yesOrNo(service.legacy()));
    }
    return table;
  }

  private String backends() {
    if (loadBalancer.backends().isEmpty()) {
      return "no backend is registered\n";
    }
    Columns table =
        new Columns("<<<<><<><>><<")
            .row(
                "backend",
                "address",
                "state",
                "new flows",
                "weight",
                "services",
                "path proven",
                "last heard",
                "registered",
                "packets",
                "bytes",
                "session",
                "protocol");
    for (Backend backend : loadBalancer.backends()) {
      table.row(
          backend.name(),
          backend.address(),
          state(backend),
          newFlows(backend),
          Quantities.count(backend.weight()),
          services(backend),
          path(backend.path()),
          Quantities.ago(backend.lastWordAgeMillis()),
          Quantities.time(backend.registeredAt(), clock),
          Quantities.count(backend.packets()),
          Quantities.bytes(backend.bytes()),
          backend.session(),
          backend.version() == null ? "" : backend.version().toString());
    }
    return table.toString();
  }

  private static String state(Backend backend) {
    Health health = backend.health();
    String state = Words.state(backend.intent(), health.state(), health.code(), health.reason());
    return Boolean.TRUE.equals(backend.returning()) ? state + ", returning" : state;
  }

  private static String newFlows(Backend backend) {
    return Boolean.TRUE.equals(backend.lastResort())
        ? "last resort"
        : yesOrNo(backend.takesNewFlows());
  }

  private static String services(Backend backend) {
    if (Boolean.TRUE.equals(backend.servesNothing())) {
      return "none";
    }
    return backend.services().isEmpty() ? "all" : String.join(",", backend.services());
  }

  /** How long ago, or what is known instead. */
  private static String path(Path path) {
    if (path.state() == null) {
      return "";
    }
    return switch (path.state()) {
      case PROVEN -> Quantities.ago(path.provenAgeMillis());
      case UNPROBED -> "once";
      case UNPROVEN -> "not yet";
      case LOST ->
          path.provenAgeMillis() == null
              ? "lost"
              : "lost, " + Quantities.ago(path.provenAgeMillis());
    };
  }

  private static String yesOrNo(Boolean flag) {
    return Boolean.TRUE.equals(flag) ? "yes" : "no";
  }

  private String packets() {
    Packets packets = loadBalancer.packets();
    String text =
        Words.packets(
            packets.received(),
            "forwarded",
            packets.forwarded(),
            packets.bytes(),
            "dropped",
            packets.dropped());
    Long left = packets.leftToHost();
    return left == null || left == 0
        ? text
        : text + Quantities.count(left) + " packets left to the machine itself\n";
  }

  private String otherTraffic() {
    StringBuilder lines = new StringBuilder();
    for (OtherTraffic other : loadBalancer.otherTraffic()) {
      lines.append(Words.known(Quantities.count(other.dropped())));
      lines.append(" packets to " + Words.known(other.vip()) + " dropped: they match no service\n");
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
                "no room",
                "allocated");
    for (Worker worker : loadBalancer.workers()) {
      table.row(
          Quantities.count(worker.queue()),
          Quantities.count(worker.packets()),
          Quantities.count(worker.batches()),
          Quantities.ratio(worker.packets(), worker.batches()),
          Quantities.count(worker.verdicts()),
          Quantities.count(worker.flows()),
          Quantities.count(worker.flowsNotKept()),
          Quantities.bytes(worker.allocatedBytes()));
    }
    return table;
  }
}
