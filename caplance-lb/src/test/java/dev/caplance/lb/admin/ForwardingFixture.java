package dev.caplance.lb.admin;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.lb.registry.ServedServices;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/** Services and backends as a test wants them, and the table that belongs to them. */
final class ForwardingFixture {

  static final int SLOTS = 1009;
  static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  static final BackendView.Health HEALTHY =
      new BackendView.Health(BackendView.Health.Condition.HEALTHY, 200, "");
  static final BackendView.Health UNHEALTHY =
      new BackendView.Health(BackendView.Health.Condition.UNHEALTHY, 503, "");

  private ForwardingFixture() {}

  /** A backend that is active. */
  static BackendView backend(String name, int weight, BackendView.Health health) {
    return backend(name, weight, health, Intent.ACTIVE);
  }

  /** The last character of the name, a digit, is the backend's index and ends its address. */
  static BackendView backend(String name, int weight, BackendView.Health health, Intent intent) {
    int index = name.charAt(name.length() - 1) - '0';
    InetAddress address = IpAddresses.parse("10.0.0." + (10 + index));
    return new BackendView(
        new Target(index, 1, name, weight, address, 1500, address),
        2,
        intent,
        health,
        BackendView.Path.PROVEN,
        false,
        true,
        ServedServices.ALL,
        new InetSocketAddress(address, 4711),
        Instant.EPOCH);
  }

  static Service.Pool service(
      String name, String ports, Service.State state, BackendView... backends) {
    return service(name, ports, state, ServiceSpec.Affinity.FLOW, backends);
  }

  static Service.Pool service(
      String name,
      String ports,
      Service.State state,
      ServiceSpec.Affinity affinity,
      BackendView... backends) {
    ServiceSpec spec =
        new ServiceSpec(
            name,
            VIP,
            Ports.parse(ports),
            false,
            ServiceSpec.WhenAllUnhealthy.FORWARD,
            ServiceSpec.WhenEmpty.REJECT,
            ServiceSpec.OtherTraffic.HOST,
            affinity,
            ServiceSpec.UdpWhenUnhealthy.MOVE);
    boolean lastResort = state == Service.State.ALL_UNHEALTHY;
    return new Service.Pool(
        spec,
        state,
        Stream.of(backends)
            .filter(b -> b.takesNewFlows() || lastResort)
            .map(BackendView::target)
            .toList(),
        Stream.of(backends)
            .filter(b -> !b.takesNewFlows() && !lastResort)
            .map(BackendView::target)
            .toList(),
        Stream.of(backends)
            .filter(b -> b.unhealthy() && !lastResort)
            .map(BackendView::target)
            .toList());
  }

  static ForwardingTable table(Service.Pool... services) {
    return ForwardingTable.empty(new FlowHash(new byte[16]), SLOTS)
        .next(List.of(services), AddressSet.of(List.of(VIP)), false);
  }
}
