package dev.caplance.lb.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.ServiceSpec.WhenEmpty;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ForwardingTableTest {

  private static final InetAddress WEB = IpAddresses.parse("10.0.0.50");
  private static final InetAddress DNS = IpAddresses.parse("2001:db8::53");
  private static final FlowHash HASH = new FlowHash(new byte[16]);

  private final Target b1 = target(1, "b1", 1);
  private final Target b2 = target(2, "b2", 1);
  private final Target draining = target(3, "b3", 1);

  private final ForwardingTable table =
      table(
          pool(WEB, "tcp/80", WhenEmpty.REJECT, List.of(b1, b2), List.of(draining)),
          pool(DNS, "udp", WhenEmpty.REJECT, List.of(b2), List.of()),
          pool(WEB, "tcp/443", WhenEmpty.DROP, List.of(), List.of()));

  private static Target target(int index, String name, int weight) {
    InetAddress address = IpAddresses.parse("10.0.0." + (10 + index));
    return new Target(index, 1, name, weight, address, 1500, address);
  }

  private static Service.Pool pool(
      InetAddress vip,
      String ports,
      WhenEmpty whenEmpty,
      List<Target> targets,
      List<Target> drain) {
    ServiceSpec spec =
        new ServiceSpec(
            ports,
            vip,
            Ports.parse(ports),
            false,
            ServiceSpec.WhenAllUnhealthy.FORWARD,
            whenEmpty,
            ServiceSpec.OtherTraffic.HOST);
    return new Service.Pool(spec, Service.State.BALANCING, targets, drain);
  }

  private static ForwardingTable table(Service.Pool... pools) {
    return ForwardingTable.empty(HASH, 7).next(List.of(pools), AddressSet.of(List.of(WEB)), false);
  }

  private static FlowKey flow(String source, int sourcePort, InetAddress vip, int port) {
    return FlowKey.of(
        vip.equals(DNS) ? IpProtocol.UDP : IpProtocol.TCP,
        new InetSocketAddress(source, sourcePort),
        new InetSocketAddress(vip, port));
  }

  @Test
  void findsTheServiceOfAVipAndPort() {
    assertThat(table.service(flow("10.0.0.9", 1, WEB, 80))).isZero();
    assertThat(table.service(flow("2001:db8::9", 1, DNS, 53))).isEqualTo(1);
    assertThat(table.service(flow("10.0.0.9", 1, WEB, 443))).isEqualTo(2);
    assertThat(table.service(flow("10.0.0.9", 1, WEB, 22))).isEqualTo(-1);
    assertThat(table.service(flow("10.0.0.9", 1, IpAddresses.parse("10.0.0.51"), 80)))
        .isEqualTo(-1);
  }

  /** The hash is unsigned: about half of these have the highest bit set. */
  @Test
  void newFlowsGoToTheTargetOfTheirSlot() {
    char[] slots = Maglev.table(List.of("b1", "b2"), new int[] {1, 1}, 7);
    for (int port = 1; port < 100; port++) {
      FlowKey flow = flow("10.0.0.9", port, WEB, 80);
      int slot = (int) Long.remainderUnsigned(HASH.of(flow), 7);
      assertThat(table.slot(0, flow)).isEqualTo(slot);
      assertThat(table.target(0, flow)).isSameAs(slots[slot] == 0 ? b1 : b2);
      assertThat(table.target(1, flow)).isSameAs(b2);
    }
  }

  /** Whatever is reused from one table to the next. */
  @Test
  void aTableThatFollowsIsLikeOneThatIsBuiltAnew() {
    SplittableRandom random = new SplittableRandom(4);
    ForwardingTable following = table;
    for (int change = 0; change < 100; change++) {
      List<Service.Pool> pools = new ArrayList<>();
      for (String port : List.of("tcp/80", "tcp/443", "tcp/8080")) {
        List<Target> targets = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
          if (random.nextBoolean()) {
            targets.add(target(20 + i, "b" + i, random.nextInt(1, 3)));
          }
        }
        pools.add(pool(WEB, port, WhenEmpty.REJECT, targets, List.of()));
      }
      following = following.next(pools, AddressSet.EMPTY, false);
      ForwardingTable anew = table(pools.toArray(Service.Pool[]::new));
      for (int port = 1; port < 50; port++) {
        FlowKey flow = flow("10.0.0.9", port, WEB, 80);
        for (int service = 0; service < pools.size(); service++) {
          assertThat(following.target(service, flow)).isSameAs(anew.target(service, flow));
        }
      }
    }
  }

  @Test
  void aServiceWithoutBackendsHasNoTarget() {
    FlowKey flow = flow("10.0.0.9", 1, WEB, 443);
    assertThat(table.target(2, flow)).isNull();
    assertThat(table.slot(2, flow)).isEqualTo(-1);
    assertThat(table.rejectsWhenEmpty(2)).isFalse();
    assertThat(table.rejectsWhenEmpty(0)).isTrue();
  }

  @Test
  void knowsWhichTargetsRetainFlowsOfAService() {
    assertThat(table.retained(0, draining.id())).isSameAs(draining);
    assertThat(table.retained(0, b1.id())).isSameAs(b1);
    assertThat(table.retained(1, b1.id())).isNull();
    assertThat(table.retained(2, b1.id())).isNull();
  }

  @Test
  void anotherGenerationOfAnIndexIsAnotherBackend() {
    Target next = new Target(b1.index(), 2, "b9", 1, b1.address(), 1500, DNS);
    assertThat(table.retained(0, next.id())).isNull();
    assertThat(table.retained(0, new Target(9, 1, "b9", 1, b1.address(), 1500, DNS).id())).isNull();
    Target highest = new Target(65_534, 65_535, "b9", 1, b1.address(), 1500, DNS);
    ForwardingTable wide =
        table(pool(WEB, "tcp/80", WhenEmpty.REJECT, List.of(highest), List.of()));
    assertThat(wide.retained(0, highest.id())).isSameAs(highest);
    assertThat(table.retained(0, highest.id())).isNull();
  }

  /** Everything that another data plane needs for a layout of its own. */
  @Test
  void canBeIterated() {
    assertThat(table.targets()).containsExactly(b1, b2, draining);
    Service web = table.services().get(0);
    assertThat(web.spec().vip()).isEqualTo(WEB);
    assertThat(web.targets()).containsExactly(b1, b2);
    assertThat(web.drainingTargets()).containsExactly(draining);
    assertThat(web.table().slots()).isEqualTo(7);
    char[] slots = Maglev.table(List.of("b1", "b2"), new int[] {1, 1}, 7);
    for (int slot = 0; slot < 7; slot++) {
      assertThat(web.table().owner(slot)).isEqualTo(slots[slot]);
    }
  }

  private static Service.Pool clientPool(String name, String ports) {
    ServiceSpec spec =
        new ServiceSpec(
            name,
            WEB,
            Ports.parse(ports),
            false,
            ServiceSpec.WhenAllUnhealthy.FORWARD,
            WhenEmpty.REJECT,
            ServiceSpec.OtherTraffic.HOST,
            ServiceSpec.Affinity.CLIENT,
            ServiceSpec.UdpWhenUnhealthy.MOVE);
    return new Service.Pool(spec, Service.State.BALANCING, List.of(), List.of());
  }

  private static long clientHash(ForwardingTable table, int sourcePort, int port) {
    FlowKey flow = flow("10.0.0.9", sourcePort, WEB, port);
    FlowHash.Fingerprint fingerprint = new FlowHash.Fingerprint();
    table.fingerprint(table.service(flow), flow, HASH, fingerprint);
    return fingerprint.high();
  }

  /** Their names have the same hash code. */
  @Test
  void theServicesOfAVipTellTheirClientsApart() {
    ForwardingTable byClient = table(clientPool("Aa", "tcp/80-89"), clientPool("BB", "tcp/443"));
    assertThat(clientHash(byClient, 1, 80)).isEqualTo(clientHash(byClient, 2, 89));
    assertThat(clientHash(byClient, 1, 80)).isNotEqualTo(clientHash(byClient, 1, 443));
  }

  @Test
  void refusesSources() {
    assertThat(table.refusesSource(IpAddresses.high(WEB), IpAddresses.low(WEB))).isTrue();
    assertThat(table.refusesSource(IpAddresses.high(DNS), IpAddresses.low(DNS))).isFalse();
  }

  @Test
  void targetsKnowTheLargestPacketThatFits() {
    assertThat(b1.maxPacket()).isEqualTo(1472);
    assertThat(new Target(1, 1, "b1", 1, DNS, 1500, DNS).maxPacket()).isEqualTo(1452);
    assertThat(b1.with(1, 1500, b1.source())).isSameAs(b1);
    assertThat(b1.with(2, 1400, b1.source()).maxPacket()).isEqualTo(1372);
  }
}
