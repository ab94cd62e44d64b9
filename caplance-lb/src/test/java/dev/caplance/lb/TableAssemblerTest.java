package dev.caplance.lb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.dataplane.FakeDataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.ServiceSpec.OtherTraffic;
import dev.caplance.lb.forwarding.ServiceSpec.WhenAllUnhealthy;
import dev.caplance.lb.forwarding.ServiceSpec.WhenEmpty;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.lb.registry.ServedServices;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TableAssemblerTest {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress BACKEND = IpAddresses.parse("10.0.0.11");
  private static final BackendView.Health HEALTHY =
      new BackendView.Health(BackendView.Health.Condition.HEALTHY, 200, "");
  private static final BackendView.Health UNHEALTHY =
      new BackendView.Health(BackendView.Health.Condition.UNHEALTHY, 503, "");

  private int targets;

  private static ServiceSpec service(WhenAllUnhealthy whenAllUnhealthy) {
    return service("web", "tcp/80", false, whenAllUnhealthy);
  }

  private static ServiceSpec service(
      String name, String ports, boolean legacy, WhenAllUnhealthy whenAllUnhealthy) {
    return new ServiceSpec(
        name,
        VIP,
        Ports.parse(ports),
        legacy,
        whenAllUnhealthy,
        WhenEmpty.REJECT,
        OtherTraffic.HOST);
  }

  private BackendView healthy(String name, String... services) {
    return backend(name, 2, Intent.ACTIVE, HEALTHY, services);
  }

  private BackendView unhealthy(String name, String... services) {
    return backend(name, 2, Intent.ACTIVE, UNHEALTHY, services);
  }

  private BackendView draining(String name) {
    return backend(name, 2, Intent.DRAINING, HEALTHY);
  }

  private BackendView of2019(String name) {
    return backend(name, Message.VERSION_2019, Intent.ACTIVE, HEALTHY);
  }

  private BackendView backend(
      String name, int version, Intent intent, BackendView.Health health, String... services) {
    return new BackendView(
        new Target(targets++, 1, name, 1, BACKEND, 1500, BACKEND),
        version,
        intent,
        health,
        BackendView.Path.PROVEN,
        false,
        true,
        served(version, services),
        new InetSocketAddress(BACKEND, 4711),
        Instant.EPOCH);
  }

  private static ServedServices served(int version, String... services) {
    if (version == Message.VERSION_2019) {
      return new ServedServices(false, Set.of("legacy"));
    }
    return new ServedServices(services.length == 0, Set.of(services));
  }

  private static List<String> names(List<Target> targets) {
    return targets.stream().map(Target::name).toList();
  }

  @Test
  void newFlowsGoToThoseThatServeAndTakeThem() {
    Service.Pool pool =
        TableAssembler.pool(
            service(WhenAllUnhealthy.FORWARD),
            List.of(
                healthy("all"),
                healthy("dns-1", "dns"),
                draining("drains"),
                of2019("old"),
                healthy("web-1", "dns", "web"),
                healthy("wrong", "no-such-service")));
    assertThat(names(pool.targets())).containsExactly("all", "web-1");
    assertThat(names(pool.drainingTargets())).containsExactly("drains");
    assertThat(pool.state()).isEqualTo(Service.State.BALANCING);
  }

  @Test
  void whenNoBackendTakesNewFlowsAllThatRetainTheirsGetThem() {
    Service.Pool pool =
        TableAssembler.pool(
            service(WhenAllUnhealthy.FORWARD),
            List.of(unhealthy("b1"), unhealthy("b2"), unhealthy("dns-1", "dns")));
    assertThat(names(pool.targets())).containsExactly("b1", "b2");
    assertThat(pool.drainingTargets()).isEmpty();
    assertThat(pool.state()).isEqualTo(Service.State.ALL_UNHEALTHY);
  }

  @Test
  void udpLeavesTheUnhealthyWhileOthersAreHealthy() {
    ServiceSpec service = service(WhenAllUnhealthy.FORWARD);
    BackendView both = backend("b3", 2, Intent.DRAINING, UNHEALTHY);
    Service.Pool some =
        TableAssembler.pool(service, List.of(healthy("b1"), unhealthy("b2"), both, draining("b4")));
    assertThat(names(some.drainingTargets())).containsExactly("b2", "b3", "b4");
    assertThat(names(some.unhealthyTargets())).containsExactly("b2", "b3");
    Service.Pool none = TableAssembler.pool(service, List.of(unhealthy("b2"), both));
    assertThat(none.unhealthyTargets()).isEmpty();
  }

  @Test
  void drainingBackendsAreSparedUnlessThereAreNoOthers() {
    ServiceSpec service = service(WhenAllUnhealthy.FORWARD);
    Service.Pool one = TableAssembler.pool(service, List.of(draining("b1"), unhealthy("b2")));
    assertThat(names(one.targets())).containsExactly("b2");
    assertThat(names(one.drainingTargets())).containsExactly("b1");
    assertThat(one.state()).isEqualTo(Service.State.ALL_UNHEALTHY);

    Service.Pool all = TableAssembler.pool(service, List.of(draining("b1"), draining("b2")));
    assertThat(names(all.targets())).containsExactly("b1", "b2");
  }

  @Test
  void noBackendGetsThemIfTheConfigurationRejectsThem() {
    Service.Pool pool =
        TableAssembler.pool(
            service(WhenAllUnhealthy.REJECT), List.of(unhealthy("b1"), unhealthy("b2")));
    assertThat(pool.targets()).isEmpty();
    assertThat(names(pool.drainingTargets())).containsExactly("b1", "b2");
    assertThat(pool.state()).isEqualTo(Service.State.ALL_UNHEALTHY);
  }

  @Test
  void withoutBackendsItIsEmpty() {
    for (WhenAllUnhealthy choice : WhenAllUnhealthy.values()) {
      Service.Pool pool = TableAssembler.pool(service(choice), List.of(healthy("dns-1", "dns")));
      assertThat(pool.targets()).isEmpty();
      assertThat(pool.drainingTargets()).isEmpty();
      assertThat(pool.state()).isEqualTo(Service.State.NO_BACKEND);
    }
  }

  @Test
  void backendsOf2019GetTheLegacyServiceAlongWithTheOthers() {
    Service.Pool pool =
        TableAssembler.pool(
            service("legacy", "tcp/80", true, WhenAllUnhealthy.FORWARD),
            List.of(healthy("new"), of2019("old")));
    assertThat(names(pool.targets())).containsExactly("new", "old");
  }

  /** However many services there are, each has the pool that it would have alone. */
  @Test
  void servicesThatAgreeShareADivision() {
    List<ServiceSpec> services = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      services.add(
          service(
              "web-" + i,
              "tcp/" + (80 + i),
              false,
              i % 5 == 0 ? WhenAllUnhealthy.REJECT : WhenAllUnhealthy.FORWARD));
    }
    List<BackendView> backends =
        List.of(
            unhealthy("all"),
            unhealthy("some", "web-1", "web-2", "web-5"),
            healthy("one", "web-2"),
            returning("gone", HEALTHY));
    List<Service.Pool> pools = TableAssembler.pools(services, backends);
    assertThat(pools)
        .isEqualTo(services.stream().map(each -> TableAssembler.pool(each, backends)).toList());
    assertThat(pools.get(3).targets()).isSameAs(pools.get(4).targets());
  }

  /** Whatever whenAllUnfit says: these were healthy when they were last heard. */
  @Test
  void returningBackendsGetNewFlowsWhenNoHealthyOneHasASession() {
    BackendView returning = returning("returning", HEALTHY);
    List<BackendView> backends =
        List.of(draining("drains"), returning, returning("sick", UNHEALTHY), unhealthy("unfit"));
    for (WhenAllUnhealthy whenAllUnhealthy : WhenAllUnhealthy.values()) {
      Service.Pool pool = TableAssembler.pool(service(whenAllUnhealthy), backends);
      assertThat(pool.state()).isEqualTo(Service.State.RETURNING);
      assertThat(names(pool.targets())).containsExactly("returning");
      assertThat(names(pool.drainingTargets())).containsExactly("drains", "sick", "unfit");
    }
    Service.Pool pool =
        TableAssembler.pool(
            service(WhenAllUnhealthy.FORWARD), List.of(healthy("healthy"), returning));
    assertThat(pool.state()).isEqualTo(Service.State.BALANCING);
    assertThat(names(pool.targets())).containsExactly("healthy");
    assertThat(names(pool.drainingTargets())).containsExactly("returning");
  }

  private BackendView returning(String name, BackendView.Health health) {
    return new BackendView(
        new Target(targets++, 1, name, 1, BACKEND, 1500, BACKEND),
        2,
        Intent.ACTIVE,
        health,
        BackendView.Path.PROVEN,
        true,
        true,
        ServedServices.ALL,
        new InetSocketAddress(BACKEND, 4711),
        Instant.EPOCH);
  }

  /** Records tables; the test decides whether they take effect. */
  private static final class RecordingDataplane extends FakeDataplane {
    final List<ForwardingTable> tables = new ArrayList<>();
    boolean inEffect = true;
    RuntimeException failure;

    @Override
    public boolean publish(ForwardingTable table) {
      if (failure != null) {
        throw failure;
      }
      tables.add(table);
      return inEffect;
    }

    ForwardingTable last() {
      return tables.get(tables.size() - 1);
    }
  }

  private final RecordingDataplane dataplane = new RecordingDataplane();
  private final TableAssembler tables = new TableAssembler(new FlowHash(new byte[16]), 7);

  private static boolean refuses(ForwardingTable table, InetAddress source) {
    return table.refusesSource(IpAddresses.high(source), IpAddresses.low(source));
  }

  @Test
  void everyChangeReachesTheDataPlane() {
    tables.apply(List.of(service(WhenAllUnhealthy.FORWARD)));
    assertThat(refuses(tables.table(), VIP)).as("before there is a data plane").isTrue();
    tables.publishTo(dataplane);
    tables.publish(List.of(healthy("b1")), false);
    assertThat(names(dataplane.last().targets())).containsExactly("b1");
    assertThat(dataplane.last().awaitsBackends()).isTrue();

    InetAddress own = IpAddresses.parse("10.0.0.2");
    tables.ownAddresses(Set.of(own));
    assertThat(refuses(dataplane.last(), own)).isTrue();
    assertThat(names(dataplane.last().targets())).containsExactly("b1");
    int published = dataplane.tables.size();
    tables.ownAddresses(Set.of(own));
    assertThat(dataplane.tables).as("nothing new").hasSize(published);
    assertThat(tables.table()).isSameAs(dataplane.last());
  }

  /** As a reload does. */
  @Test
  void otherServicesTakeTheBackendsThatServeThem() {
    tables.publishTo(dataplane);
    tables.apply(List.of(service(WhenAllUnhealthy.FORWARD)));
    tables.publish(List.of(healthy("b1"), healthy("dns-1", "dns")), true);
    Service before = dataplane.last().services().get(0);
    tables.apply(
        List.of(
            service(WhenAllUnhealthy.FORWARD),
            service("dns", "udp/53", false, WhenAllUnhealthy.FORWARD)));
    List<Service> services = dataplane.last().services();
    assertThat(services).extracting(Service::name).containsExactly("web", "dns");
    assertThat(names(services.get(1).targets())).containsExactly("b1", "dns-1");
    assertThat(services.get(0).table()).as("not built anew").isSameAs(before.table());
    tables.apply(List.of());
    assertThat(dataplane.last().services()).isEmpty();
  }

  @Test
  void passesOnWhetherTheTableIsInEffect() {
    assertThat(tables.publish(List.of(), true)).as("without a data plane").isTrue();
    tables.publishTo(dataplane);
    dataplane.inEffect = false;
    assertThat(tables.publish(List.of(healthy("b1")), true)).isFalse();
    dataplane.inEffect = true;
    assertThat(tables.publish(List.of(healthy("b1")), true)).isTrue();
  }

  /** The next publication has all that is new since the last one that worked. */
  @Test
  void aDataPlaneThatFailsOnceGetsTheWholeTableNextTime() {
    tables.apply(List.of(service(WhenAllUnhealthy.FORWARD)));
    tables.publishTo(dataplane);
    dataplane.failure = new IllegalStateException("a bug in the data plane");
    List<BackendView> backends = List.of(healthy("b1"));
    try {
      tables.publish(backends, true);
    } catch (IllegalStateException e) {
      assertThat(e).isSameAs(dataplane.failure);
    }
    dataplane.failure = null;
    tables.ownAddresses(Set.of(BACKEND));
    assertThat(names(dataplane.last().services().get(0).targets())).containsExactly("b1");
  }
}
