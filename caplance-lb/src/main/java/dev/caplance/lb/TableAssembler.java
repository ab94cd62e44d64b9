package dev.caplance.lb;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.ServiceSpec.WhenAllUnhealthy;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.lb.registry.ServedServices;
import dev.caplance.lb.registry.TablePublisher;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds a new {@link ForwardingTable} whenever the services, the backends or the host's own
 * addresses change, and publishes it to the data plane. Any thread may call; {@link #table} never
 * blocks.
 */
final class TableAssembler implements TablePublisher {

  private static final Logger LOG = LoggerFactory.getLogger(TableAssembler.class);

  private final Map<String, Service.State> loggedStates = new HashMap<>();
  private List<ServiceSpec> services = List.of();
  private List<BackendView> backends = List.of();
  private boolean complete = true;
  private Set<InetAddress> ownAddresses = Set.of();
  private Dataplane dataplane;
  private volatile ForwardingTable table;

  /**
   * Creates an assembler with an empty table.
   *
   * @param hash maps flows to slots
   * @param slots of each Maglev table, a prime
   */
  TableAssembler(FlowHash hash, int slots) {
    this.table = ForwardingTable.empty(hash, slots);
  }

  /** Replaces the services. */
  synchronized void apply(List<ServiceSpec> newServices) {
    services = List.copyOf(newServices);
    loggedStates.keySet().retainAll(services.stream().map(ServiceSpec::name).toList());
    rebuild();
  }

  /** Publishes the current table and every later one to this data plane. */
  synchronized void publishTo(Dataplane target) {
    dataplane = target;
    rebuild();
  }

  @Override
  public synchronized boolean publish(List<BackendView> newBackends, boolean newComplete) {
    backends = newBackends;
    complete = newComplete;
    return rebuild();
  }

  /** Sets the addresses of this host; packets that claim to come from them are dropped. */
  synchronized void ownAddresses(Set<InetAddress> addresses) {
    if (!addresses.equals(ownAddresses)) {
      ownAddresses = addresses;
      rebuild();
    }
  }

  /** The current table. */
  ForwardingTable table() {
    return table;
  }

  private boolean rebuild() {
    Collection<InetAddress> refused = new ArrayList<>(ownAddresses);
    services.forEach(service -> refused.add(service.vip()));
    List<Service.Pool> pools = pools(services, backends);
    pools.forEach(this::logNewState);
    table = table.next(pools, AddressSet.of(refused), !complete);
    return dataplane == null || dataplane.publish(table);
  }

  /** What decides how backends are divided: services that agree in it share one division. */
  private record Division(WhenAllUnhealthy whenAllUnhealthy, BitSet serving) {}

  /** The pools of all services, in their order. */
  static List<Service.Pool> pools(List<ServiceSpec> services, List<BackendView> backends) {
    List<ServedServices> kinds = backends.stream().map(BackendView::services).distinct().toList();
    Map<Division, Service.Pool> divisions = new HashMap<>();
    List<Service.Pool> pools = new ArrayList<>(services.size());
    for (ServiceSpec service : services) {
      BitSet serving = new BitSet(kinds.size());
      for (int i = 0; i < kinds.size(); i++) {
        serving.set(i, kinds.get(i).contains(service));
      }
      Service.Pool pool =
          divisions.computeIfAbsent(
              new Division(service.whenAllUnhealthy(), serving), key -> pool(service, backends));
      pools.add(pool.of(service));
    }
    return pools;
  }

  /**
   * Divides the backends of a service into those that get new flows and those that only keep
   * theirs.
   */
  static Service.Pool pool(ServiceSpec service, List<BackendView> backends) {
    List<BackendView> serving = backends.stream().filter(b -> b.serves(service)).toList();
    Service.State state = state(serving);
    Predicate<BackendView> chosen =
        switch (state) {
          case BALANCING -> BackendView::takesNewFlows;
          case RETURNING -> BackendView::mayTakeNewFlows;
          case ALL_UNHEALTHY, NO_BACKEND -> lastResort(service, serving);
        };
    Predicate<BackendView> keeping = chosen.negate();
    boolean others = state == Service.State.BALANCING || state == Service.State.RETURNING;
    return new Service.Pool(
        service,
        state,
        targets(serving, chosen),
        targets(serving, keeping),
        others ? targets(serving, keeping.and(BackendView::unhealthy)) : List.of());
  }

  private static Service.State state(List<BackendView> serving) {
    if (serving.isEmpty()) {
      return Service.State.NO_BACKEND;
    }
    if (serving.stream().anyMatch(BackendView::takesNewFlows)) {
      return Service.State.BALANCING;
    }
    return serving.stream().anyMatch(BackendView::mayTakeNewFlows)
        ? Service.State.RETURNING
        : Service.State.ALL_UNHEALTHY;
  }

  /**
   * Selects the backends that get new flows when none takes them: draining ones only if there are
   * no others.
   */
  private static Predicate<BackendView> lastResort(ServiceSpec service, List<BackendView> serving) {
    boolean forward = service.whenAllUnhealthy() == WhenAllUnhealthy.FORWARD;
    boolean allDrain = serving.stream().allMatch(BackendView::draining);
    return backend -> forward && (allDrain || !backend.draining());
  }

  private static List<Target> targets(List<BackendView> backends, Predicate<BackendView> chosen) {
    return backends.stream().filter(chosen).map(BackendView::target).toList();
  }

  private void logNewState(Service.Pool pool) {
    String name = pool.spec().name();
    Service.State before = loggedStates.put(name, pool.state());
    if (pool.state() == (before == null ? Service.State.NO_BACKEND : before)) {
      return;
    }
    switch (pool.state()) {
      case BALANCING -> LOG.info("service {}: at least one backend is healthy", name);
      case RETURNING ->
          LOG.warn(
              "service {}: no healthy backend has a session; new flows are sent to those that may"
                  + " return",
              name);
      case ALL_UNHEALTHY ->
          LOG.warn(
              "service {}: all backends are unhealthy or draining; new flows are {}",
              name,
              pool.targets().isEmpty()
                  ? "not forwarded"
                  : "sent to the unhealthy ones, or to the draining ones if there are no others");
      case NO_BACKEND -> LOG.warn("service {}: no backend is available", name);
    }
  }
}
