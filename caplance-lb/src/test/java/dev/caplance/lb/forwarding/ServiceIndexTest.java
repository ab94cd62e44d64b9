package dev.caplance.lb.forwarding;

import static org.assertj.core.api.Assertions.assertThat;

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

class ServiceIndexTest {

  private static ServiceSpec spec(InetAddress vip, Ports ports) {
    return new ServiceSpec(
        IpAddresses.format(vip) + " " + ports,
        vip,
        ports,
        false,
        ServiceSpec.WhenAllUnhealthy.FORWARD,
        ServiceSpec.WhenEmpty.REJECT,
        ServiceSpec.OtherTraffic.DROP);
  }

  private static FlowKey flow(int protocol, InetAddress vip, int port) {
    InetAddress client = vip.getAddress().length == 4 ? vip : IpAddresses.parse("2001:db8::9");
    return FlowKey.of(protocol, new InetSocketAddress(client, 1), new InetSocketAddress(vip, port));
  }

  /** Against the definition: the one service whose VIP and ports contain the flow. */
  @Test
  void findsOneOfAThousandServices() {
    SplittableRandom random = new SplittableRandom(12);
    List<ServiceSpec> specs = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      InetAddress vip = IpAddresses.parse(i % 2 == 0 ? "192.0.2." + i : "2001:db8:0:" + i + "::80");
      specs.add(spec(vip, Ports.parse("tcp/80")));
      specs.add(spec(vip, Ports.parse("tcp/443").union(Ports.parse("udp/443"))));
      specs.add(spec(vip, Ports.parse("tcp/8000-8999")));
      specs.add(spec(vip, Ports.parse("udp/1-442").union(Ports.parse("udp/444-65535"))));
      specs.add(spec(vip, Ports.parse("tcp/1-79")));
    }
    ServiceIndex index = ServiceIndex.EMPTY.of(specs);
    for (int i = 0; i < 50_000; i++) {
      ServiceSpec some = specs.get(random.nextInt(specs.size()));
      int protocol = random.nextBoolean() ? IpProtocol.TCP : IpProtocol.UDP;
      int port = random.nextInt(4) == 0 ? random.nextInt(65_536) : random.nextInt(10_000);
      int expected =
          IntStream.range(0, specs.size())
              .filter(s -> specs.get(s).vip().equals(some.vip()))
              .filter(s -> specs.get(s).ports().contains(protocol, port))
              .findFirst()
              .orElse(ForwardingTable.NO_SERVICE);
      assertThat(index.find(flow(protocol, some.vip(), port))).isEqualTo(expected);
    }
  }

  @Test
  void findsNothingForOtherAddressesAndProtocols() {
    InetAddress vip = IpAddresses.parse("192.0.2.80");
    ServiceIndex index = ServiceIndex.EMPTY.of(List.of(spec(vip, Ports.ALL)));
    assertThat(index.find(flow(IpProtocol.TCP, vip, 0))).isZero();
    assertThat(index.find(flow(IpProtocol.UDP, vip, 65_535))).isZero();
    assertThat(index.find(flow(IpProtocol.ICMP, vip, 80))).isEqualTo(ForwardingTable.NO_SERVICE);
    assertThat(index.find(flow(IpProtocol.TCP, IpAddresses.parse("192.0.2.81"), 80)))
        .isEqualTo(ForwardingTable.NO_SERVICE);
    assertThat(ServiceIndex.EMPTY.find(flow(IpProtocol.TCP, vip, 80)))
        .isEqualTo(ForwardingTable.NO_SERVICE);
  }

  @Test
  void isKeptWhileTheServicesAreTheSame() {
    List<ServiceSpec> specs = List.of(spec(IpAddresses.parse("192.0.2.80"), Ports.ALL));
    ServiceIndex index = ServiceIndex.EMPTY.of(specs);
    assertThat(index.of(List.copyOf(specs))).isSameAs(index);
    assertThat(index.of(List.of())).isNotSameAs(index);
  }
}
