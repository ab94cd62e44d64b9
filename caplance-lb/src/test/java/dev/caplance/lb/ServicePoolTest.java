package dev.caplance.lb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.LbConfig.OtherTraffic;
import dev.caplance.lb.LbConfig.WhenAllUnfit;
import dev.caplance.lb.LbConfig.WhenEmpty;
import dev.caplance.lb.admin.ServiceStatus.State;
import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.lb.forwarding.ForwardingTable.Member;
import dev.caplance.lb.forwarding.ForwardingTable.Pool;
import dev.caplance.lb.registry.ForwardingBackend;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ServicePoolTest {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress BACKEND = IpAddresses.parse("10.0.0.11");

  private static LbConfig.Service service(WhenAllUnfit whenAllUnfit) {
    return new LbConfig.Service(
        "web",
        VIP,
        Ports.parse("tcp/80"),
        false,
        whenAllUnfit,
        WhenEmpty.REJECT,
        OtherTraffic.HOST);
  }

  private static ForwardingBackend backend(String name, boolean takesNewFlows, String... services) {
    return backend(name, false, takesNewFlows, services);
  }

  private static ForwardingBackend backend(
      String name, boolean legacy, boolean takesNewFlows, String... services) {
    Endpoint endpoint = new Endpoint(BACKEND, 1337, 1, 1500);
    return new ForwardingBackend(
        name, BACKEND, legacy, name.length(), Set.of(services), takesNewFlows, false, endpoint);
  }

  private static ForwardingBackend draining(String name) {
    Endpoint endpoint = new Endpoint(BACKEND, 1337, 1, 1500);
    return new ForwardingBackend(name, BACKEND, false, 1, Set.of(), false, true, endpoint);
  }

  private static List<String> members(ServicePool pool) {
    return pool.toPool().members().stream().map(Member::name).toList();
  }

  @Test
  void newFlowsGoToThoseThatServeAndTakeThem() {
    ForwardingBackend all = backend("all", true);
    ForwardingBackend drains = backend("drains", false);
    ForwardingBackend web = backend("web-1", true, "dns", "web");
    ServicePool pool =
        ServicePool.of(
            service(WhenAllUnfit.FORWARD),
            List.of(
                all,
                backend("dns-1", true, "dns"),
                drains,
                backend("old", true, true),
                web,
                backend("wrong", true, "no-such-service")));
    assertThat(pool.toPool())
        .isEqualTo(
            new Pool(
                VIP,
                Ports.parse("tcp/80"),
                List.of(
                    new Member("all", 3, all.endpoint()), new Member("web-1", 5, web.endpoint())),
                List.of(all.endpoint(), drains.endpoint(), web.endpoint()),
                true));
    assertThat(pool.state()).isEqualTo(State.BALANCING);
    assertThat(pool.status().members()).containsExactly(all, web);
    assertThat(pool.status().serving()).containsExactly(all, drains, web);
  }

  @Test
  void whenNobodyTakesNewFlowsAllThatKeepTheirsGetThem() {
    List<ForwardingBackend> unfit =
        List.of(backend("b1", false), backend("b2", false), backend("dns-1", true, "dns"));
    ServicePool pool = ServicePool.of(service(WhenAllUnfit.FORWARD), unfit);
    assertThat(members(pool)).containsExactly("b1", "b2");
    assertThat(pool.state()).isEqualTo(State.ALL_UNFIT);
  }

  @Test
  void whoDrainsIsSparedUnlessThereIsNobodyElse() {
    LbConfig.Service service = service(WhenAllUnfit.FORWARD);
    ServicePool unfitAndDraining =
        ServicePool.of(service, List.of(draining("b1"), backend("b2", false)));
    assertThat(members(unfitAndDraining)).containsExactly("b2");
    assertThat(unfitAndDraining.toPool().keepers()).hasSize(2);
    assertThat(unfitAndDraining.state()).isEqualTo(State.ALL_UNFIT);

    ServicePool draining = ServicePool.of(service, List.of(draining("b1"), draining("b2")));
    assertThat(members(draining)).containsExactly("b1", "b2");
  }

  @Test
  void orNobodyDoesIfThatIsWhatWasChosen() {
    List<ForwardingBackend> unfit = List.of(backend("b1", false), backend("b2", false));
    ServicePool pool = ServicePool.of(service(WhenAllUnfit.REJECT), unfit);
    assertThat(members(pool)).isEmpty();
    assertThat(pool.toPool().keepers()).hasSize(2);
    assertThat(pool.state()).isEqualTo(State.ALL_UNFIT);
  }

  @Test
  void withoutBackendsItIsEmpty() {
    for (WhenAllUnfit choice : WhenAllUnfit.values()) {
      ServicePool pool = ServicePool.of(service(choice), List.of(backend("dns-1", true, "dns")));
      assertThat(members(pool)).isEmpty();
      assertThat(pool.toPool().keepers()).isEmpty();
      assertThat(pool.state()).isEqualTo(State.NO_BACKEND);
    }
  }

  @Test
  void whatHappensThenIsTheServicesChoice() {
    for (WhenEmpty choice : WhenEmpty.values()) {
      LbConfig.Service service =
          new LbConfig.Service(
              "web", VIP, Ports.ALL, false, WhenAllUnfit.FORWARD, choice, OtherTraffic.HOST);
      assertThat(ServicePool.of(service, List.of()).toPool().rejectWhenEmpty())
          .isEqualTo(choice == WhenEmpty.REJECT);
    }
  }

  @Test
  void backendsOf2019GetTheLegacyServiceAlongWithTheOthers() {
    LbConfig.Service legacy =
        new LbConfig.Service(
            "web", VIP, Ports.ALL, true, WhenAllUnfit.FORWARD, WhenEmpty.DROP, OtherTraffic.HOST);
    ServicePool pool =
        ServicePool.of(legacy, List.of(backend("new", true), backend("old", true, true)));
    assertThat(members(pool)).containsExactly("new", "old");
  }
}
