package dev.caplance.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class InterfacesTest {

  /** From iproute2 6.1, shortened. */
  private static final String JSON =
      """
      [{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"addr_info":[
        {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo"},
        {"family":"inet","local":"10.0.0.50","prefixlen":32,"scope":"global","label":"lo"}]},
       {"ifindex":2,"ifname":"eth0","flags":["BROADCAST","MULTICAST","UP"],"mtu":1500,"addr_info":[
        {"family":"inet","local":"10.0.0.11","prefixlen":24,"scope":"global","label":"eth0"}]},
       {"ifindex":3,"ifname":"dummy0","flags":["BROADCAST","NOARP"],"mtu":1400,"addr_info":[]}]
      """;

  @Test
  void readsWhatIpPrints() throws IOException {
    Interfaces interfaces = Interfaces.parse(JSON);
    assertThat(interfaces.with(IpAddresses.parse("10.0.0.50")).map(Interfaces.Interface::name))
        .containsExactly("lo");
    assertThat(
            interfaces.all().stream()
                .filter(i -> i.networkHolds(IpAddresses.parse("10.0.0.99")))
                .map(Interfaces.Interface::mtu))
        .containsExactly(1500);
    assertThat(
            interfaces.all().stream()
                .filter(Interfaces.Interface::hasNeighbours)
                .map(Interfaces.Interface::name))
        .containsExactly("eth0");
  }
}
