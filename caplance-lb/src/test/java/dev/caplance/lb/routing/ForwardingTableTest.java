package dev.caplance.lb.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.routing.ForwardingTable.Member;
import dev.caplance.lb.routing.ForwardingTable.Pool;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class ForwardingTableTest {

  private static final InetAddress WEB = IpAddresses.parse("10.0.0.50");
  private static final InetAddress DNS = IpAddresses.parse("2001:db8::53");
  private static final InetAddress EMPTY = IpAddresses.parse("10.0.0.51");

  private final Endpoint b1 = new Endpoint(IpAddresses.parse("10.0.0.11"), 1337, 2, 1500);
  private final Endpoint b2 = new Endpoint(IpAddresses.parse("10.0.0.12"), 1337, 2, 1500);

  private final ForwardingTable table =
      ForwardingTable.of(
          List.of(
              new Pool(
                  WEB,
                  Ports.ALL,
                  List.of(new Member("b1", 1, b1), new Member("b2", 1, b2)),
                  List.of(b1, b2),
                  true),
              new Pool(DNS, Ports.ALL, List.of(new Member("b2", 1, b2)), List.of(b2), true),
              new Pool(EMPTY, Ports.ALL, List.of(), List.of(), true)),
          AddressSet.of(List.of(WEB)),
          new FlowHash(new byte[16]),
          7);

  private int service(String address) {
    InetAddress parsed = IpAddresses.parse(address);
    return table.service(IpAddresses.high(parsed), IpAddresses.low(parsed));
  }

  @Test
  void findsTheServiceOfAVip() {
    assertThat(service("10.0.0.50")).isZero();
    assertThat(service("2001:db8::53")).isEqualTo(1);
    assertThat(service("10.0.0.52")).isEqualTo(-1);
  }

  @Test
  void spreadsHashesOverTheBackendsOfTheService() {
    char[] slots = Maglev.table(List.of("b1", "b2"), new int[] {1, 1}, 7);
    for (long hash = 0; hash < 7; hash++) {
      Endpoint expected = slots[(int) hash] == 0 ? b1 : b2;
      assertThat(table.endpoint(0, hash)).isSameAs(expected);
      assertThat(table.endpoint(1, hash)).isSameAs(b2);
    }
  }

  @Test
  void hashesAreUnsigned() {
    long slot = Long.remainderUnsigned(-1, 7);
    assertThat(table.endpoint(0, -1)).isSameAs(table.endpoint(0, slot));
  }

  @Test
  void aServiceWithoutBackendsHasNoEndpoint() {
    assertThat(table.endpoint(service("10.0.0.51"), 3)).isNull();
  }

  @Test
  void refusesSources() {
    assertThat(table.refusesSource(IpAddresses.high(WEB), IpAddresses.low(WEB))).isTrue();
    assertThat(table.refusesSource(IpAddresses.high(DNS), IpAddresses.low(DNS))).isFalse();
  }

  @Test
  void endpointsCountForEachWorker() {
    b1.count(0, 100);
    b1.count(1, 50);
    b1.count(1, 50);
    assertThat(b1.packets()).isEqualTo(3);
    assertThat(b1.bytes()).isEqualTo(200);
    assertThat(b2.packets()).isZero();
  }
}
