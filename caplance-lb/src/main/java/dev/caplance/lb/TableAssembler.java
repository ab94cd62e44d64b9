package dev.caplance.lb;

import dev.caplance.lb.admin.RoutingStatus;
import dev.caplance.lb.admin.ServiceStatus;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.registry.ForwardingBackend;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts together what the registry and the machine say into the table that the data plane uses, anew
 * at each change. Any thread may call.
 */
final class TableAssembler implements TablePublisher {

  private static final Logger LOG = LoggerFactory.getLogger(TableAssembler.class);

  private final List<LbConfig.Service> services;
  private final FlowHash hash;
  private final int tableSize;

  private final Map<String, ServiceStatus.State> states = new HashMap<>();
  private List<ForwardingBackend> backends = List.of();
  private boolean complete = true;
  private List<ServicePool> pools;
  private ForwardingTable table;
  private Set<InetAddress> ownAddresses = Set.of();
  private Dataplane dataplane;

  TableAssembler(List<LbConfig.Service> services, FlowHash hash, int tableSize) {
    this.services = services;
    this.hash = hash;
    this.tableSize = tableSize;
    services.forEach(service -> states.put(service.name(), ServiceStatus.State.NO_BACKEND));
    publish();
  }

  /** From now on each new table goes to this data plane. */
  synchronized void publishTo(Dataplane target) {
    dataplane = target;
    publish();
  }

  @Override
  public synchronized void publish(List<ForwardingBackend> newBackends, boolean newComplete) {
    backends = newBackends;
    complete = newComplete;
    publish();
  }

  /** The addresses of this machine, from which no packet may come. */
  synchronized void ownAddresses(Set<InetAddress> addresses) {
    if (!addresses.equals(ownAddresses)) {
      ownAddresses = addresses;
      publish();
    }
  }

  private void publish() {
    pools = services.stream().map(service -> ServicePool.of(service, backends)).toList();
    pools.forEach(this::logNewState);
    table = build();
    if (dataplane != null) {
      dataplane.publish(table);
    }
  }

  private void logNewState(ServicePool pool) {
    ServiceStatus.State now = pool.state();
    String name = pool.service().name();
    if (now == states.put(name, now)) {
      return;
    }
    switch (now) {
      case BALANCING -> LOG.info("service {}: has a backend that is fit", name);
      case ALL_UNFIT ->
          LOG.warn(
              "service {}: all backends are unfit or draining; new flows are {}",
              name,
              pool.members().isEmpty()
                  ? "not taken"
                  : "given to them all the same, to those that drain only if there is nobody else");
      case NO_BACKEND -> LOG.warn("service {}: has no backend", name);
      default -> throw new AssertionError(now);
    }
  }

  private ForwardingTable build() {
    Collection<InetAddress> refused = new ArrayList<>(ownAddresses);
    services.forEach(service -> refused.add(service.vip()));
    List<ForwardingTable.Pool> all = pools.stream().map(ServicePool::toPool).toList();
    ForwardingTable next =
        table == null
            ? ForwardingTable.of(all, AddressSet.of(refused), hash, tableSize)
            : table.next(all, AddressSet.of(refused));
    return complete ? next : next.awaitingBackends();
  }

  /** The table of this moment. */
  synchronized ForwardingTable table() {
    return table;
  }

  /** The table of this moment with what it was made of. */
  synchronized RoutingStatus routing() {
    return new RoutingStatus(table, pools.stream().map(ServicePool::status).toList(), tableSize);
  }
}
