package dev.caplance.lb.admin;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.ForwardingTable.Member;
import dev.caplance.lb.forwarding.ForwardingTable.Pool;
import dev.caplance.lb.registry.ForwardingBackend;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;

/** Services and backends as a test wants them, and the table that belongs to them. */
final class RoutingFixture {

  static final int SLOTS = 1009;
  static final InetAddress VIP = IpAddresses.parse("10.0.0.50");

  private RoutingFixture() {}

  static ForwardingBackend backend(String name, int weight, boolean takesNewFlows) {
    InetAddress address =
        IpAddresses.parse("10.0.0." + (10 + name.charAt(name.length() - 1) - '0'));
    return new ForwardingBackend(
        name,
        address,
        false,
        weight,
        Set.of(),
        takesNewFlows,
        false,
        new Endpoint(address, 1337, 1, 1500));
  }

  static ServiceStatus service(
      String name, String ports, ServiceStatus.State state, ForwardingBackend... serving) {
    List<ForwardingBackend> members =
        List.of(serving).stream()
            .filter(backend -> backend.takesNewFlows() || state == ServiceStatus.State.ALL_UNFIT)
            .toList();
    return new ServiceStatus(
        name, VIP, Ports.parse(ports), false, state, List.of(serving), members);
  }

  static RoutingStatus routing(ServiceStatus... services) {
    List<Pool> pools =
        List.of(services).stream()
            .map(
                service ->
                    new Pool(
                        service.vip(),
                        service.ports(),
                        service.members().stream()
                            .map(b -> new Member(b.name(), b.weight(), b.endpoint()))
                            .toList(),
                        service.serving().stream().map(ForwardingBackend::endpoint).toList(),
                        true))
            .toList();
    return new RoutingStatus(
        ForwardingTable.of(pools, AddressSet.of(List.of(VIP)), new FlowHash(new byte[16]), SLOTS),
        List.of(services),
        SLOTS);
  }
}
