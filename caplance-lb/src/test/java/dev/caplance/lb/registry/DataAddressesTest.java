package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataAddressesTest {

  private static final List<DataAddresses.Own> OWN =
      List.of(
          new DataAddresses.Own(
              "eth0", IpAddresses.parse("10.0.0.2"), IpAddresses.parse("10.0.0.255")),
          new DataAddresses.Own("eth0", IpAddresses.parse("2001:db8::2"), null));

  @ParameterizedTest
  @CsvSource({
    "10.0.0.50, is a VIP of this load balancer",
    "2001:db8::50, is a VIP of this load balancer",
    "10.0.0.2, is an address of the load balancer itself",
    "2001:db8::2, is an address of the load balancer itself",
    "10.0.0.255, is the broadcast address of eth0",
    "255.255.255.255, is the broadcast address",
    "127.0.0.1, is a loopback address",
    "127.255.255.254, is a loopback address",
    "::1, is a loopback address",
    "0.0.0.0, is the unspecified address",
    "::, is the unspecified address",
    "0.1.2.3, 'is in 0.0.0.0/8, which no host can use'",
    "224.0.0.1, is a multicast address",
    "239.255.255.255, is a multicast address",
    "ff02::1, is a multicast address",
    "240.0.0.1, 'is in 240.0.0.0/4, which is reserved'",
    "255.255.255.254, 'is in 240.0.0.0/4, which is reserved'",
    "fe80::1, 'is a link-local address, which is ambiguous without an interface'",
    "febf:ffff::1, 'is a link-local address, which is ambiguous without an interface'"
  })
  void refusesWhatIsNoUnicastAddressOfAnotherMachine(String address, String what) {
    assertThatThrownBy(() -> check(address))
        .isInstanceOf(RefusedException.class)
        .hasMessage(
            address
                + " "
                + what
                + "; register with the backend's own unicast address, such as REGISTER web-1"
                + " 10.0.0.11");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.11",
        "1.0.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.254.0.1",
        "192.168.1.1",
        "223.255.255.255",
        "2001:db8::11",
        "fd00::1",
        "fec0::1"
      })
  void takesAllOthers(String address) {
    assertThatCode(() -> check(address)).doesNotThrowAnyException();
  }

  @Test
  void findsTheAddressesOfThisMachine() throws RefusedException {
    assertThat(DataAddresses.ofThisMachine())
        .extracting(DataAddresses.Own::address)
        .contains(IpAddresses.parse("127.0.0.1"));
  }

  private static void check(String address) throws RefusedException {
    DataAddresses.check(
        IpAddresses.parse(address),
        Set.of(IpAddresses.parse("10.0.0.50"), IpAddresses.parse("2001:db8::50")),
        OWN);
  }
}
