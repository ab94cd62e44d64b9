package dev.caplance.lb.admin;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
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
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * {@code explain}: where the next packet of the parameter {@code flow} would go, and why. It looks
 * where the data plane would look, and changes nothing there.
 */
public final class ExplainMethod implements ControlMethod {

  private final Supplier<RoutingStatus> routing;
  private final RegisteredBackends backends;
  private final Dataplane dataplane;

  /** Takes what it asks when it is called. */
  public ExplainMethod(
      Supplier<RoutingStatus> routing, RegisteredBackends backends, Dataplane dataplane) {
    this.routing = routing;
    this.backends = backends;
    this.dataplane = dataplane;
  }

  /** What is found for a flow; null is what it does not have. */
  private record Finding(
      ServiceStatus service, Integer slot, ForwardingBackend backend, String why, String detail) {}

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
    return write(flow, find(flow, now), now);
  }

  private static JsonObject write(NamedFlow flow, Finding found, RoutingStatus now) {
    ForwardingBackend backend = found.backend;
    JsonObject json = new JsonObject();
    json.addProperty("flow", flow.toString());
    json.add("service", text(found.service == null ? null : found.service.name()));
    json.add("slot", found.slot == null ? JsonNull.INSTANCE : new JsonPrimitive(found.slot));
    json.addProperty("slots", now.slots());
    json.add("backend", text(backend == null ? null : backend.name()));
    json.add("address", text(backend == null ? null : IpAddresses.format(backend.dataAddress())));
    json.addProperty("why", found.why);
    json.addProperty("detail", found.detail);
    return json;
  }

  private static JsonElement text(String text) {
    return text == null ? JsonNull.INSTANCE : new JsonPrimitive(text);
  }

  private Finding find(NamedFlow flow, RoutingStatus now)
      throws ControlException, InterruptedException {
    FlowKey key = flow.key();
    if (now.table().refusesSource(key.sourceHigh(), key.sourceLow())) {
      return without(
          null,
          "own source",
          "packets that claim to come from "
              + IpAddresses.format(flow.source().getAddress())
              + ", an address of this machine or a VIP, are dropped");
    }
    int number = now.table().service(key);
    if (number < 0) {
      return without(null, "no service", noService(flow, now.services()));
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
    String moved =
        known.isPresent() ? "; the flow was with a backend that may not keep it any more" : "";
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
          + " is no VIP here; there are: "
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
        + "); otherTraffic in the configuration says what becomes of it";
  }

  /** The data plane knows the flow, and the backend may keep it. */
  private Finding kept(
      ServiceStatus service, int slot, ForwardingBackend kept, ForwardingBackend forNewFlows)
      throws ControlException, InterruptedException {
    String aNewOne =
        kept.equals(forNewFlows)
            ? "a new one would go there as well"
            : "a new one would go to " + (forNewFlows == null ? "nobody" : forNewFlows.name());
    if (kept.takesNewFlows()) {
      return new Finding(
          service, slotOf(slot), kept, "flow table", "the flow is known and stays; " + aNewOne);
    }
    boolean draining =
        backends.now().stream()
            .filter(backend -> backend.name().equals(kept.name()))
            .map(BackendStatus::intent)
            .anyMatch(intent -> intent == Intent.DRAINING);
    return new Finding(
        service,
        slotOf(slot),
        kept,
        draining ? "drain" : "unfit",
        kept.name()
            + (draining ? " is draining" : " is unfit")
            + " and keeps the flows that it has; "
            + aNewOne);
  }

  /** It goes where a new flow goes. */
  private static Finding ofTable(
      ServiceStatus service, int slot, ForwardingBackend backend, String moved) {
    if (backend == null) {
      boolean unfit = service.state() == ServiceStatus.State.ALL_UNFIT;
      return without(
          service,
          unfit ? "all unfit" : "no backend",
          (unfit
                  ? "all backends are unfit or draining, and whenAllUnfit is reject"
                  : "no backend of this service may get packets")
              + moved);
    }
    return service.state() == ServiceStatus.State.ALL_UNFIT
        ? new Finding(
            service,
            slotOf(slot),
            backend,
            "all unfit",
            (backend.draining()
                    ? "all backends are draining, so new flows go to them all the same"
                    : "all backends are unfit or draining, so new flows go to those that do not drain")
                + moved)
        : new Finding(
            service, slotOf(slot), backend, "table", "a new flow goes where its slot says" + moved);
  }

  private static Finding without(ServiceStatus service, String why, String detail) {
    return new Finding(service, null, null, why, detail);
  }

  private static Integer slotOf(int slot) {
    return slot < 0 ? null : slot;
  }
}
