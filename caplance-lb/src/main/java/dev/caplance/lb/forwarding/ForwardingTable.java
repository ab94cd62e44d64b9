package dev.caplance.lb.forwarding;

import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * All that a data plane must know to send packets on, at one moment: the services with their VIPs,
 * ports, targets and Maglev tables, the hash key, the addresses that no packet may come from, and
 * whether backends are awaited after a restart. Immutable and iterable, so that each data plane can
 * lay it out as it needs; a change is a new table.
 */
public final class ForwardingTable {

  /**
   * For how long after a start nothing is final: backends have yet to return, so no connection is
   * refused because of their absence.
   */
  public static final Duration GRACE = Duration.ofSeconds(30);

  /** What {@link #service} says of a flow that no service has. */
  public static final int NO_SERVICE = -1;

  private final List<Service> services;
  private final Service[] servicesInOrder;
  private final Target[] targetsByIndex;
  private final AddressSet refusedSources;
  private final FlowHash hash;
  private final int slots;
  private final boolean awaitsBackends;

  private ForwardingTable(
      List<Service> services,
      AddressSet refusedSources,
      FlowHash hash,
      int slots,
      boolean awaitsBackends) {
    this.services = services;
    this.servicesInOrder = services.toArray(Service[]::new);
    this.targetsByIndex = byIndex(services);
    this.refusedSources = refusedSources;
    this.hash = hash;
    this.slots = slots;
    this.awaitsBackends = awaitsBackends;
  }

  private static Target[] byIndex(List<Service> services) {
    List<Target> all = services.stream().flatMap(s -> s.retainedTargets().stream()).toList();
    Target[] targets = new Target[all.stream().mapToInt(Target::index).max().orElse(-1) + 1];
    all.forEach(target -> targets[target.index()] = target);
    return targets;
  }

  /**
   * A table without services.
   *
   * @param hash chooses the slot of a flow
   * @param slots of each Maglev table, a prime
   */
  public static ForwardingTable empty(FlowHash hash, int slots) {
    return new ForwardingTable(List.of(), AddressSet.EMPTY, hash, slots, false);
  }

  /**
   * The table after a change; Maglev tables that are the same as here are not built anew.
   *
   * @param pools one for each service; no two of them have a port of a VIP in common
   * @param newRefusedSources the VIPs and the host's own addresses
   * @param awaitsBackends see {@link #awaitsBackends}
   */
  public ForwardingTable next(
      List<Service.Pool> pools, AddressSet newRefusedSources, boolean awaitsBackends) {
    Map<MaglevTable.Shape, MaglevTable> tables = new HashMap<>();
    services.forEach(service -> tables.put(service.table().shape(), service.table()));
    List<Service> next = new ArrayList<>(pools.size());
    for (Service.Pool pool : pools) {
      MaglevTable table =
          tables.computeIfAbsent(
              MaglevTable.Shape.of(pool.targets()), shape -> MaglevTable.of(shape, slots));
      next.add(
          new Service(pool.spec(), pool.state(), pool.targets(), pool.drainingTargets(), table));
    }
    return new ForwardingTable(List.copyOf(next), newRefusedSources, hash, slots, awaitsBackends);
  }

  /** The services; the numbers that other methods take are positions in this list. */
  public List<Service> services() {
    return services;
  }

  /** The targets of all services, each once, by ascending index. */
  public List<Target> targets() {
    return Arrays.stream(targetsByIndex).filter(Objects::nonNull).toList();
  }

  /** Slots of each Maglev table. */
  public int slots() {
    return slots;
  }

  /**
   * Whether the backend of a connection that is older than the load balancer may be missing here,
   * so that the connection's packets are better dropped, to be sent again, than given to a backend
   * that would reset it.
   */
  public boolean awaitsBackends() {
    return awaitsBackends;
  }

  /** Whether a packet from this address would loop, or pretends to come from here. */
  public boolean refusesSource(long high, long low) {
    return refusedSources.contains(high, low);
  }

  /** The number of the service that has a flow, or {@link #NO_SERVICE}. */
  public int service(FlowKey flow) {
    for (int i = 0; i < servicesInOrder.length; i++) {
      if (servicesInOrder[i].isFor(flow)) {
        return i;
      }
    }
    return NO_SERVICE;
  }

  /** The target with this id, if it may keep flows of the service; else null. */
  public Target retained(int service, int targetId) {
    int index = Target.indexOf(targetId);
    Target target = index < targetsByIndex.length ? targetsByIndex[index] : null;
    return target != null && target.id() == targetId && servicesInOrder[service].retains(index)
        ? target
        : null;
  }

  /** The slot of a flow in the table of a service; −1 when nobody gets new flows. */
  public int slot(int service, FlowKey flow) {
    int size = servicesInOrder[service].table().slots();
    return size == 0 ? -1 : (int) Long.remainderUnsigned(hash.of(flow), size);
  }

  /** Where a new flow of a service goes; null when nobody gets new flows. */
  public Target target(int service, FlowKey flow) {
    int slot = slot(service, flow);
    return slot < 0 ? null : servicesInOrder[service].targetAt(slot);
  }

  /** Whether clients of the service are told that there is no backend. */
  public boolean rejectsWhenEmpty(int service) {
    return servicesInOrder[service].spec().whenEmpty() == ServiceSpec.WhenEmpty.REJECT;
  }
}
