package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.host.OwnNetworks.Network;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import java.net.SocketException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OwnNetworksTest {

  private static final OwnNetworks NETWORKS =
      new OwnNetworks(
          Stream.of(
                  "eth0 10.0.0.2/24",
                  "eth0 10.0.0.60/24",
                  "eth0 fd00::2/64",
                  "eth1 fd01::2/64",
                  "eth1 fd01::50/64",
                  "eth1 192.0.2.0/31")
              .map(text -> text.split(" "))
              .map(words -> new Network(words[0], IpPrefix.parse(words[1])))
              .toList());

  @ParameterizedTest
  @CsvSource({
    "10.0.0.2, this machine's own address on eth0",
    "10.0.0.0, the address of the network 10.0.0.2/24 on eth0 itself",
    "10.0.0.255, the broadcast address of the network 10.0.0.2/24 on eth0",
    "fd00::2, this machine's own address on eth0",
    "fd00::, the address of the network fd00::2/64 on eth0 itself",
    "192.0.2.0, this machine's own address on eth1",
  })
  void someAddressesCanBeNoVip(String vip, String objection) {
    assertThat(NETWORKS.objection(IpAddresses.parse(vip))).contains(objection);
  }

  /** Also one that an administrator added with the prefix of the network. */
  @ParameterizedTest
  @CsvSource({
    "10.0.0.50",
    "10.0.0.60",
    "10.0.1.255",
    "fd00::50",
    "fd00::ffff:ffff:ffff:ffff",
    "fd01::50",
    "192.0.2.1",
    "198.51.100.7"
  })
  void othersCan(String vip) {
    assertThat(NETWORKS.objection(IpAddresses.parse(vip))).isEmpty();
  }

  @Test
  void theNetworksOfThisMachineAreListed() throws SocketException {
    assertThat(OwnNetworks.list().all())
        .isNotNull()
        .noneMatch(network -> network.device().equals("lo"));
    assertThat(new OwnNetworks(List.of()).objection(IpAddresses.parse("10.0.0.2"))).isEmpty();
  }
}
