package dev.caplance.lb.admin;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.lb.registry.BackendStatus;
import dev.caplance.lb.registry.ForwardingBackend;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.status.FlowExplanation;
import dev.caplance.status.FlowExplanation.Reason;
import dev.caplance.status.StatusJson;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * {@code explain}: where the next packet of the parameter {@code flow} would go, and why. It asks
 * what the data plane would ask and changes nothing.
 */
public final class ExplainMethod implements ControlMethod {

  private final Supplier<RoutingStatus> routing;
  private final RegisteredBackends backends;
  private final Dataplane dataplane;

  /** A method that asks these parts whenever it is called. */
  public ExplainMethod(
      Supplier<RoutingStatus> routing, RegisteredBackends backends, Dataplane dataplane) {
    this.routing = routing;
    this.backends = backends;
    this.dataplane = dataplane;
  }

  /**
   * Where a flow goes.
   *
   * @param service null when none has the flow
   * @param slot null when no slot was used
   * @param backend null when it goes to none
   */
  private record Decision(
      ServiceStatus service, Integer slot, ForwardingBackend backend, Reason why, String detail) {}

  @Override
  public JsonElement call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    String text = new Params(params).text("flow", "tcp 198.51.100.7:40000 -> 10.0.0.50:80");
    NamedFlow flow;
    try {
      flow = NamedFlow.parse(text);
    } catch (IllegalArgumentException e) {
      throw Params.invalid(e.getMessage());
    }
    RoutingStatus now = routing.get();
    return StatusJson.write(explanation(flow, decide(flow, now), now.slots()));
  }

  private static FlowExplanation explanation(NamedFlow flow, Decision decision, int slots) {
    ForwardingBackend backend = decision.backend;
    return new FlowExplanation(
        flow.toString(),
        decision.service == null ? null : decision.service.name(),
        decision.slot,
        slots,
        backend == null ? null : backend.name(),
        backend == null ? null : IpAddresses.format(backend.dataAddress()),
        decision.why,
        decision.detail);
  }

  private Decision decide(NamedFlow flow, RoutingStatus now)
      throws ControlException, InterruptedException {
    FlowKey key = flow.key();
    if (now.table().refusesSource(key.sourceHigh(), key.sourceLow())) {
      return without(
          null,
          Reason.OWN_SOURCE,
          "packets that claim to come from "
              + IpAddresses.format(flow.source().getAddress())
              + ", an address of this machine or a VIP, are dropped");
    }
    int number = now.table().service(key);
    if (number < 0) {
      return without(null, Reason.NO_SERVICE, noService(flow, now.services()));
    }
    ServiceStatus service = now.services().get(number);
    int slot = now.table().slot(number, key);
    ForwardingBackend forNewFlows = backend(service, now.table().endpoint(number, key));
    OptionalInt known = dataplane.endpointOf(key);
    if (known.isPresent()) {
      ForwardingBackend kept = backend(service, now.table().keeper(number, known.getAsInt()));
      if (kept != null) {
        return kept(service, slot, kept, forNewFlows);
      }
    }
    String moved = known.isPresent() ? "; its former backend may no longer keep it" : "";
    return ofTable(service, slot, forNewFlows, moved);
  }

  private static ForwardingBackend backend(ServiceStatus service, Endpoint endpoint) {
    return service.serving().stream()
        .filter(backend -> backend.endpoint() == endpoint)
        .findFirst()
        .orElse(null);
  }

  private static String noService(NamedFlow flow, List<ServiceStatus> services) {
    String vip = IpAddresses.format(flow.destination().getAddress());
    String ports =
        services.stream()
            .filter(service -> service.vip().equals(flow.destination().getAddress()))
            .map(service -> service.name() + " has " + service.ports())
            .collect(joining("; "));
    if (ports.isEmpty()) {
      return vip
          + " is not a VIP of this load balancer; its VIPs are "
          + services.stream()
              .map(service -> IpAddresses.format(service.vip()))
              .distinct()
              .collect(joining(", "));
    }
    return "no service of "
        + vip
        + " has "
        + flow.protocolName()
        + "/"
        + flow.destination().getPort()
        + " ("
        + ports
        + "); otherTraffic in the configuration decides what becomes of it";
  }

  /** The data plane knows the flow, and its backend may keep it. */
  private Decision kept(
      ServiceStatus service, int slot, ForwardingBackend kept, ForwardingBackend forNewFlows)
      throws ControlException, InterruptedException {
    String aNewOne =
        kept.equals(forNewFlows)
            ? "a new one would go there as well"
            : "a new one would go to " + (forNewFlows == null ? "no backend" : forNewFlows.name());
    if (kept.takesNewFlows()) {
      return new Decision(
          service,
          slotOf(slot),
          kept,
          Reason.FLOW_TABLE,
          "the flow is known and stays; " + aNewOne);
    }
    boolean draining =
        backends.now().stream()
            .filter(backend -> backend.name().equals(kept.name()))
            .map(BackendStatus::intent)
            .anyMatch(intent -> intent == Intent.DRAINING);
    return new Decision(
        service,
        slotOf(slot),
        kept,
        draining ? Reason.DRAIN : Reason.UNHEALTHY,
        kept.name()
            + (draining ? " is draining" : " is unhealthy")
            + " and keeps the flows it has; "
            + aNewOne);
  }

  /** The data plane does not know the flow, or its backend may not keep it. */
  private static Decision ofTable(
      ServiceStatus service, int slot, ForwardingBackend backend, String moved) {
    if (backend == null) {
      boolean unhealthy = service.state() == ServiceStatus.State.ALL_UNFIT;
      return without(
          service,
          unhealthy ? Reason.ALL_UNHEALTHY : Reason.NO_BACKEND,
          (unhealthy
                  ? "all backends are unhealthy or draining, and whenAllUnfit is reject"
                  : "no backend may get packets of this service")
              + moved);
    }
    return service.state() == ServiceStatus.State.ALL_UNFIT
        ? new Decision(
            service,
            slotOf(slot),
            backend,
            Reason.ALL_UNHEALTHY,
            (backend.draining()
                    ? "all backends are draining, so new flows still go to them"
                    : "all backends are unhealthy or draining, so new flows go to those that are not"
                        + " draining")
                + moved)
        : new Decision(
            service,
            slotOf(slot),
            backend,
            Reason.TABLE,
            "a new flow goes where its slot says" + moved);
  }

  private static Decision without(ServiceStatus service, Reason why, String detail) {
    return new Decision(service, null, null, why, detail);
  }

  private static Integer slotOf(int slot) {
    return slot < 0 ? null : slot;
  }
}
