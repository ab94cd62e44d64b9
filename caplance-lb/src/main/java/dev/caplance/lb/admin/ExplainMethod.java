package dev.caplance.lb.admin;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendRegistry;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.status.FlowExplanation;
import dev.caplance.status.FlowExplanation.Reason;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * {@code explain}: where the next packet of the flow in the parameter {@code flow} would go, and
 * why. It makes the look-ups of the data plane and changes nothing.
 */
public final class ExplainMethod implements ControlMethod {

  private final Supplier<ForwardingTable> table;
  private final RegisteredBackends backends;
  private final Dataplane dataplane;

  /** Creates the method; each call queries these parts. */
  public ExplainMethod(
      Supplier<ForwardingTable> table, RegisteredBackends backends, Dataplane dataplane) {
    this.table = table;
    this.backends = backends;
    this.dataplane = dataplane;
  }

  /**
   * Where a flow goes.
   *
   * @param service null if the flow belongs to none
   * @param slot null if the table has none for it
   * @param target null if the flow goes to no backend
   * @param detail the reason as a sentence
   */
  private record Decision(
      Service service, Integer slot, Target target, Reason why, String detail) {}

  @Override
  public boolean takesTurns() {
    return true;
  }

  @Override
  public FlowExplanation call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    String text = new Params(params).text("flow", "tcp 198.51.100.7:40000 -> 10.0.0.50:80");
    NamedFlow flow;
    try {
      flow = NamedFlow.parse(text);
    } catch (IllegalArgumentException e) {
      throw Params.invalid(e.getMessage());
    }
    ForwardingTable now = table.get();
    return explanation(flow, decide(flow, now), now.slots());
  }

  private static FlowExplanation explanation(NamedFlow flow, Decision decision, int slots) {
    Target target = decision.target;
    return new FlowExplanation(
        flow.toString(),
        decision.service == null ? null : decision.service.name(),
        decision.slot,
        slots,
        target == null ? null : target.name(),
        target == null ? null : IpAddresses.format(target.address()),
        decision.why,
        decision.detail);
  }

  private Decision decide(NamedFlow flow, ForwardingTable now)
      throws ControlException, InterruptedException {
    FlowKey key = flow.key();
    if (now.refusesSource(key.sourceHigh(), key.sourceLow())) {
      return without(
          null,
          Reason.OWN_SOURCE,
          "packets that claim to come from "
              + IpAddresses.format(flow.source().getAddress())
              + ", an address of this machine or a VIP, are dropped");
    }
    int position = now.service(key);
    if (position == ForwardingTable.NO_SERVICE) {
      return without(null, Reason.NO_SERVICE, noService(flow, now.services()));
    }
    Service service = now.services().get(position);
    int slot = now.slot(position, key);
    Target forNewFlows = now.target(position, key);
    OptionalInt known = dataplane.targetOf(key);
    if (known.isEmpty()) {
      return ofTable(service, slot, forNewFlows, "");
    }
    Target previous = now.retained(position, known.getAsInt());
    if (previous == null) {
      return ofTable(service, slot, forNewFlows, "; its previous backend may no longer keep it");
    }
    return now.leaves(position, previous, key)
        ? ofTable(
            service, slot, forNewFlows, "; UDP leaves " + previous.name() + ", which is unhealthy")
        : kept(service, slot, previous, forNewFlows);
  }

  private static String noService(NamedFlow flow, List<Service> services) {
    String vip = IpAddresses.format(flow.destination().getAddress());
    String ports =
        services.stream()
            .filter(service -> service.spec().vip().equals(flow.destination().getAddress()))
            .map(service -> service.name() + " has " + service.spec().ports())
            .collect(joining("; "));
    if (ports.isEmpty()) {
      return vip
          + " is not a VIP of this load balancer; its VIPs are "
          + services.stream()
              .map(service -> IpAddresses.format(service.spec().vip()))
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
        + "); otherTraffic in the configuration decides what happens to it";
  }

  /** The data plane knows the flow, and its backend may keep it. */
  private Decision kept(Service service, int slot, Target kept, Target forNewFlows)
      throws ControlException, InterruptedException {
    boolean byClient = service.spec().affinity() == ServiceSpec.Affinity.CLIENT;
    String newFlow =
        kept.equals(forNewFlows)
            ? "a new one would go there as well"
            : "a new one would go to " + (forNewFlows == null ? "no backend" : forNewFlows.name());
    Optional<BackendView> backend = backend(kept);
    if (backend.filter(BackendView::takesNewFlows).isPresent()) {
      return new Decision(
          service,
          slotOf(slot),
          kept,
          Reason.FLOW_TABLE,
          (byClient ? "the client" : "the flow") + " is known and stays; " + newFlow);
    }
    boolean draining = backend.filter(BackendView::draining).isPresent();
    boolean moves =
        byClient
            && !draining
            && forNewFlows != null
            && service.spec().udpWhenUnhealthy() == ServiceSpec.UdpWhenUnhealthy.MOVE;
    String keeps =
        moves
            ? " and keeps the client until it opens another connection or sends UDP, which moves it"
                + " to "
                + forNewFlows.name()
            : " and keeps the " + (byClient ? "clients" : "flows") + " it has; " + newFlow;
    return new Decision(
        service,
        slotOf(slot),
        kept,
        draining ? Reason.DRAIN : Reason.UNHEALTHY,
        kept.name() + (draining ? " is draining" : " is unhealthy") + keeps);
  }

  /** The data plane does not know the flow, or its backend may not keep it. */
  private Decision ofTable(Service service, int slot, Target target, String moved)
      throws ControlException, InterruptedException {
    boolean unhealthy = service.state() == Service.State.ALL_UNHEALTHY;
    if (target == null) {
      return without(
          service,
          unhealthy ? Reason.ALL_UNHEALTHY : Reason.NO_BACKEND,
          (unhealthy
                  ? "all backends are unhealthy or draining, and whenAllUnfit is reject"
                  : "no backend may get packets of this service")
              + moved);
    }
    return new Decision(
        service,
        slotOf(slot),
        target,
        unhealthy ? Reason.ALL_UNHEALTHY : Reason.TABLE,
        (unhealthy ? lastResort(target) : "a new flow goes to the backend of its slot") + moved);
  }

  private String lastResort(Target target) throws ControlException, InterruptedException {
    return backend(target).filter(BackendView::draining).isPresent()
        ? "all backends are draining, so new flows still go to them"
        : "all backends are unhealthy or draining, so new flows go to those that are not draining";
  }

  private Optional<BackendView> backend(Target target)
      throws ControlException, InterruptedException {
    return backends.now().stream()
        .map(BackendRegistry.Entry::backend)
        .filter(backend -> backend.target().id() == target.id())
        .findFirst();
  }

  private static Decision without(Service service, Reason why, String detail) {
    return new Decision(service, null, null, why, detail);
  }

  private static Integer slotOf(int slot) {
    return slot < 0 ? null : slot;
  }
}
