package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InterfaceAddressesTest {

  /** As iproute2 6.1 writes it, with what is not read left out. */
  private static final String LISTED =
      """
      [{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"addr_info":[
         {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo"},
         {"family":"inet","local":"10.0.0.60","prefixlen":32,"scope":"global","label":"lo"},
         {"family":"inet6","local":"::1","prefixlen":128,"scope":"host"}]},
       {"ifindex":2,"ifname":"eth0","flags":["BROADCAST","UP"],"addr_info":[
         {"family":"inet","local":"10.0.0.2","prefixlen":9,"broadcast":"10.127.255.255"},
         {"family":"inet6","local":"2001:db8::2","prefixlen":64,"nodad":true},
         {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},
       {"ifindex":3,"ifname":"eth1","link":"eth0","flags":["BROADCAST","UP"],"addr_info":[
         {"family":"inet","local":"10.0.0.130","prefixlen":25,"label":"eth1"}]},
       {"ifindex":4,"ifname":"eth2","flags":["BROADCAST"],"addr_info":[]}]
      """;

  private static InterfaceAddresses listed() throws IOException {
    return InterfaceAddresses.parse(LISTED);
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
    assertThat(listed().device(IpAddresses.parse(address), Optional.empty())).isEqualTo(device);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.128.0.1", "127.0.0.5", "192.0.2.1", "2001:db8:0:1::50"})
  void anAddressOutsideEveryNetworkNeedsAdvice(String address) {
    assertThatThrownBy(() -> listed().device(IpAddresses.parse(address), Optional.empty()))
        .isInstanceOf(IOException.class)
        .hasMessage(
            address
                + " is in no network of this machine (eth0 10.0.0.2/9, eth0 2001:db8::2/64, eth0"
                + " fe80::1/64, eth1 10.0.0.130/25); correct the VIP, or set 'interface' in the"
                + " configuration");
  }

  @Test
  void findsAddressesByDevice() throws IOException {
    assertThat(listed().contain("10.0.0.60/32", "lo")).isTrue();
    assertThat(listed().contain("10.0.0.60/32", "eth0")).isFalse();
    assertThat(listed().contain("10.0.0.2/32", "eth0")).isFalse();
    assertThat(listed().contain(IpAddresses.parse("10.0.0.2"), "eth0")).isTrue();
    assertThat(listed().contain(IpAddresses.parse("10.0.0.2"), "eth1")).isFalse();
  }

  @Test
  void aDeviceThatDoesNotExistIsNamedWithThoseThatDo() throws IOException {
    InetAddress vip = IpAddresses.parse("192.0.2.1");
    assertThat(listed().device(vip, Optional.of("eth2"))).isEqualTo("eth2");
    assertThatThrownBy(() -> listed().device(vip, Optional.of("eth9")))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "there is no network interface 'eth9'; set 'interface' in the configuration to one of"
                + " lo, eth0, eth1, eth2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{}", "[1]", "[{}]", "[{\"ifname\":\"lo\"}]", "lo: 127.0.0.1"})
  void outputOfAnotherKindIsAnError(String output) {
    assertThatThrownBy(() -> InterfaceAddresses.parse(output))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'ip -json address show' wrote something unexpected");
  }
}
