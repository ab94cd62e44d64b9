package dev.caplance.lb.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.ForwardingTable.Member;
import dev.caplance.lb.forwarding.ForwardingTable.Pool;
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
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ForwardingTableTest {

  private static final InetAddress WEB = IpAddresses.parse("10.0.0.50");
  private static final InetAddress DNS = IpAddresses.parse("2001:db8::53");
  private static final FlowHash HASH = new FlowHash(new byte[16]);

  private final Endpoint b1 = endpoint(11);
  private final Endpoint b2 = endpoint(12);
  private final Endpoint draining = endpoint(13);

  private final ForwardingTable table =
      ForwardingTable.of(
          List.of(
              new Pool(
                  WEB,
                  Ports.parse("tcp/80"),
                  List.of(new Member("b1", 1, b1), new Member("b2", 1, b2)),
                  List.of(b1, b2, draining),
                  true),
              new Pool(DNS, Ports.ALL, List.of(new Member("b2", 1, b2)), List.of(b2), true),
              new Pool(WEB, Ports.parse("tcp/443"), List.of(), List.of(), false)),
          AddressSet.of(List.of(WEB)),
          HASH,
          7);

  private static Endpoint endpoint(int number) {
    return new Endpoint(IpAddresses.parse("10.0.0." + number), 1337, 2, 1500);
  }

  private static FlowKey flow(String source, int sourcePort, InetAddress vip, int port) {
    return FlowKey.of(
        IpProtocol.TCP,
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
  void newFlowsGoWhereTheirSlotSays() {
    char[] slots = Maglev.table(List.of("b1", "b2"), new int[] {1, 1}, 7);
    for (int port = 1; port < 100; port++) {
      FlowKey flow = flow("10.0.0.9", port, WEB, 80);
      int slot = (int) Long.remainderUnsigned(HASH.of(flow), 7);
      assertThat(table.slot(0, flow)).isEqualTo(slot);
      assertThat(table.endpoint(0, flow)).isSameAs(slots[slot] == 0 ? b1 : b2);
      assertThat(table.endpoint(1, flow)).isSameAs(b2);
    }
  }

  /** Whatever is taken over from one table to the next. */
  @Test
  void aTableThatFollowsIsLikeOneThatIsBuiltAnew() {
    SplittableRandom random = new SplittableRandom(4);
    List<Endpoint> endpoints = IntStream.range(0, 6).mapToObj(i -> endpoint(20 + i)).toList();
    ForwardingTable following = table;
    for (int change = 0; change < 100; change++) {
      List<Pool> pools = new ArrayList<>();
      for (String port : List.of("tcp/80", "tcp/443", "tcp/8080")) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < endpoints.size(); i++) {
          if (random.nextBoolean()) {
            members.add(new Member("b" + i, random.nextInt(1, 3), endpoints.get(i)));
          }
        }
        pools.add(new Pool(WEB, Ports.parse(port), members, List.of(), true));
      }
      following = following.next(pools, AddressSet.EMPTY);
      ForwardingTable anew = ForwardingTable.of(pools, AddressSet.EMPTY, HASH, 7);
      for (int port = 1; port < 50; port++) {
        FlowKey flow = flow("10.0.0.9", port, WEB, 80);
        for (int service = 0; service < pools.size(); service++) {
          assertThat(following.endpoint(service, flow)).isSameAs(anew.endpoint(service, flow));
        }
      }
    }
  }

  @Test
  void aServiceWithoutBackendsHasNoEndpoint() {
    FlowKey flow = flow("10.0.0.9", 1, WEB, 443);
    assertThat(table.endpoint(2, flow)).isNull();
    assertThat(table.slot(2, flow)).isEqualTo(-1);
    assertThat(table.rejectsWhenEmpty(2)).isFalse();
    assertThat(table.rejectsWhenEmpty(0)).isTrue();
  }

  @Test
  void knowsWhoMayKeepFlowsOfAService() {
    assertThat(table.keeper(0, draining.id())).isSameAs(draining);
    assertThat(table.keeper(0, b1.id())).isSameAs(b1);
    assertThat(table.keeper(1, b1.id())).isNull();
    assertThat(table.keeper(2, b1.id())).isNull();
  }

  @Test
  void findsEachOfManyEndpoints() {
    List<Endpoint> many = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      many.add(endpoint(i % 250));
    }
    List<Endpoint> half = many.stream().filter(e -> e.id() % 2 == 0).toList();
    EndpointSet set = new EndpointSet(half);
    for (Endpoint endpoint : many) {
      assertThat(set.find(endpoint.id())).isSameAs(half.contains(endpoint) ? endpoint : null);
    }
    assertThat(new EndpointSet(List.of()).find(1)).isNull();
  }

  @Test
  void refusesSources() {
    assertThat(table.refusesSource(IpAddresses.high(WEB), IpAddresses.low(WEB))).isTrue();
    assertThat(table.refusesSource(IpAddresses.high(DNS), IpAddresses.low(DNS))).isFalse();
  }

  @Test
  void endpointsCountForEachWorkerAndKnowWhatFits() {
    b1.count(0, 1, 100);
    b1.count(1, 1, 50);
    b1.count(1, 1, 50);
    assertThat(b1.packets()).isEqualTo(3);
    assertThat(b1.bytes()).isEqualTo(200);
    assertThat(b2.packets()).isZero();
    assertThat(b1.maxPacket()).isEqualTo(1472);
    assertThat(new Endpoint(DNS, 1337, 1, 1500).maxPacket()).isEqualTo(1452);
  }
}
