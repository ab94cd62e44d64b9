package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InterfacesTest {

  /** As iproute2 6.1 writes it, with what is not read left out. */
  private static final String LISTED =
      """
      [{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"addr_info":[
         {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo"},
         {"family":"inet","local":"10.0.0.60","prefixlen":32,"scope":"global","label":"lo"},
         {"family":"inet6","local":"::1","prefixlen":128,"scope":"host"}]},
       {"ifindex":2,"ifname":"eth0","flags":["BROADCAST","UP"],"mtu":1500,"addr_info":[
         {"family":"inet","local":"10.0.0.2","prefixlen":9,"broadcast":"10.127.255.255"},
         {"family":"inet6","local":"2001:db8::2","prefixlen":64,"nodad":true},
         {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},
       {"ifindex":3,"ifname":"eth1","link":"eth0","flags":["BROADCAST","UP"],"mtu":1500,"addr_info":[
         {"family":"inet","local":"10.0.0.130","prefixlen":25,"label":"eth1"}]},
       {"ifindex":4,"ifname":"eth2","flags":["BROADCAST","NOARP"],"mtu":1400,"addr_info":[
         {"family":"inet","local":"10.200.0.1","prefixlen":24}]}]
      """;

  private static Interfaces listed() throws IOException {
    return Interfaces.parse(LISTED);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.50, eth0",
    "10.127.255.254, eth0",
    "10.0.0.128, eth1",
    "10.0.0.60, eth0",
    "2001:db8::ffff, eth0"
  })
  void theMostSpecificNetworkHoldsAnAddress(String address, String device) throws IOException {
    assertThat(listed().place(IpAddresses.parse(address), Optional.empty())).isEqualTo(device);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.128.0.1", "127.0.0.5", "192.0.2.1", "2001:db8:0:1::50"})
  void anAddressOutsideEveryNetworkNeedsAdvice(String address) {
    assertThatThrownBy(() -> listed().place(IpAddresses.parse(address), Optional.empty()))
        .isInstanceOf(IOException.class)
        .hasMessage(
            address
                + " is not in any network of this machine (eth0 10.0.0.2/9, eth0 2001:db8::2/64, eth0"
                + " fe80::1/64, eth1 10.0.0.130/25, eth2 10.200.0.1/24);"
                + " correct the VIP, or set 'interface' in the"
                + " configuration");
  }

  @Test
  void findsInterfacesByNameAndByAddress() throws IOException {
    Interfaces interfaces = listed();
    assertThat(interfaces.named("eth1").orElseThrow().addresses())
        .containsExactly(IpPrefix.parse("10.0.0.130/25"));
    assertThat(interfaces.named("eth1").orElseThrow().mtu()).isEqualTo(1500);
    assertThat(interfaces.named("eth9")).isEmpty();
    assertThat(interfaces.with(IpAddresses.parse("10.0.0.60")).map(Interfaces.Interface::name))
        .containsExactly("lo");
    assertThat(interfaces.with(IpAddresses.parse("10.0.0.61"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.99, true", "127.0.0.5, false", "10.0.0.60, true", "10.200.0.9, false"})
  void onlySomeNetworksHaveNeighbours(String address, boolean expected) throws IOException {
    assertThat(listed().all().stream().anyMatch(i -> i.hasNeighboursOf(IpAddresses.parse(address))))
        .isEqualTo(expected);
  }

  @Test
  void describesWhereNeighboursCanSend() throws IOException {
    assertThat(listed().describe())
        .isEqualTo(
            "it has eth0 10.0.0.2/9, eth0 2001:db8::2/64, eth0 fe80::1/64, eth1 10.0.0.130/25");
    assertThat(new Interfaces(List.of()).describe()).isEqualTo("it has none");
  }

  @Test
  void aDeviceThatDoesNotExistIsNamedWithThoseThatDo() throws IOException {
    InetAddress vip = IpAddresses.parse("192.0.2.1");
    assertThat(listed().place(vip, Optional.of("eth2"))).isEqualTo("eth2");
    assertThatThrownBy(() -> listed().place(vip, Optional.of("eth9")))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "there is no network interface 'eth9'; set 'interface' in the configuration to one of"
                + " lo, eth0, eth1, eth2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{}", "[1]", "[{}]", "[{\"ifname\":\"lo\"}]", "lo: 127.0.0.1"})
  void outputOfAnotherKindIsAnError(String output) {
    assertThatThrownBy(() -> Interfaces.parse(output))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'ip -json address show' printed something unexpected");
  }
}
