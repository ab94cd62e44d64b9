package dev.caplance.lb;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.ServiceSpec.WhenAllUnhealthy;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.lb.registry.TablePublisher;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds a new {@link ForwardingTable} at each change of the services, the backends or the host's
 * own addresses, and publishes it to the data plane. Any thread may call; {@link #table} waits for
 * nobody.
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
   * An assembler whose table is empty.
   *
   * @param slots of each Maglev table, a prime
   */
  TableAssembler(FlowHash hash, int slots) {
    this.table = ForwardingTable.empty(hash, slots);
  }

  /** The services are these from now on. */
  synchronized void apply(List<ServiceSpec> newServices) {
    services = List.copyOf(newServices);
    loggedStates.keySet().retainAll(services.stream().map(ServiceSpec::name).toList());
    rebuild();
  }

  /** From now on each new table goes to this data plane. */
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

  /** The addresses of this host, from which no packet may come. */
  synchronized void ownAddresses(Set<InetAddress> addresses) {
    if (!addresses.equals(ownAddresses)) {
      ownAddresses = addresses;
      rebuild();
    }
  }

  /** The table of this moment. */
  ForwardingTable table() {
    return table;
  }

  private boolean rebuild() {
    Collection<InetAddress> refused = new ArrayList<>(ownAddresses);
    services.forEach(service -> refused.add(service.vip()));
    List<Service.Pool> pools = services.stream().map(service -> pool(service, backends)).toList();
    pools.forEach(this::logNewState);
    table = table.next(pools, AddressSet.of(refused), !complete);
    return dataplane == null || dataplane.publish(table);
  }

  /** The backends of a service, sorted by what they may get. */
  static Service.Pool pool(ServiceSpec service, List<BackendView> backends) {
    List<BackendView> serving = backends.stream().filter(b -> b.serves(service)).toList();
    boolean ready = serving.stream().anyMatch(BackendView::takesNewFlows);
    Predicate<BackendView> chosen =
        ready ? BackendView::takesNewFlows : lastResort(service, serving);
    Service.State state =
        serving.isEmpty()
            ? Service.State.NO_BACKEND
            : ready ? Service.State.BALANCING : Service.State.ALL_UNHEALTHY;
    return new Service.Pool(
        service, state, targets(serving, chosen), targets(serving, chosen.negate()));
  }

  /** Those that get new flows when none is healthy: draining ones only if there is no other. */
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
      case BALANCING -> LOG.info("service {}: has a healthy backend", name);
      case ALL_UNHEALTHY ->
          LOG.warn(
              "service {}: all backends are unhealthy or draining; new flows are {}",
              name,
              pool.targets().isEmpty()
                  ? "refused"
                  : "sent to the unhealthy ones, or to the draining ones if there are no others");
      case NO_BACKEND -> LOG.warn("service {}: has no backend", name);
    }
  }
}
