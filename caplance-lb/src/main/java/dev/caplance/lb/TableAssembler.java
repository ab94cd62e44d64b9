package dev.caplance.lb;

import dev.caplance.lb.admin.ServiceStatus;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.registry.ForwardingBackend;
import dev.caplance.lb.registry.TablePublisher;
import dev.caplance.lb.routing.Endpoint;
import dev.caplance.lb.routing.ForwardingTable;
import dev.caplance.lb.routing.ForwardingTable.Member;
import dev.caplance.lb.routing.ForwardingTable.Pool;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * Puts together what the registry and the machine say into the table that the data plane uses, anew
 * at each change. Any thread may call.
 */
final class TableAssembler implements TablePublisher {

  private static final int EQUAL_WEIGHT = 1;

  private final List<LbConfig.Service> services;
  private final FlowHash hash;
  private final int tableSize;

  private List<ForwardingBackend> backends = List.of();
  private Set<InetAddress> ownAddresses = Set.of();
  private Dataplane dataplane;

  TableAssembler(List<LbConfig.Service> services, FlowHash hash, int tableSize) {
    this.services = services;
    this.hash = hash;
    this.tableSize = tableSize;
  }

  /** From now on each new table goes to this data plane. */
  synchronized void publishTo(Dataplane target) {
    dataplane = target;
    publish();
  }

  @Override
  public synchronized void publish(List<ForwardingBackend> newBackends) {
    backends = newBackends;
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
    if (dataplane != null) {
      dataplane.publish(table());
    }
  }

  /** The table of this moment. */
  synchronized ForwardingTable table() {
    List<Pool> pools = services.stream().map(this::pool).toList();
    Collection<InetAddress> refused = new ArrayList<>(ownAddresses);
    services.forEach(service -> refused.add(service.vip()));
    return ForwardingTable.of(pools, AddressSet.of(refused), hash, tableSize);
  }

  private Pool pool(LbConfig.Service service) {
    List<Member> members = membersOf(service);
    List<Endpoint> keepers = members.stream().map(Member::endpoint).toList();
    return new Pool(service.vip(), Ports.ALL, members, keepers, true);
  }

  private List<Member> membersOf(LbConfig.Service service) {
    return backends.stream()
        .filter(backend -> service.legacy() || !backend.legacy())
        .map(backend -> new Member(backend.name(), EQUAL_WEIGHT, backend.endpoint()))
        .toList();
  }

  /** The services, with what they have in the table now. */
  synchronized List<ServiceStatus> services() {
    return services.stream()
        .map(s -> new ServiceStatus(s.name(), s.vip(), s.legacy(), membersOf(s).size()))
        .toList();
  }
}
