package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressesTest {

  @ParameterizedTest
  @CsvSource({
    "10.0.0.50, 10.0.0.50",
    "255.255.255.255, 255.255.255.255",
    "0.0.0.0, 0.0.0.0",
    "2001:DB8:0:0:0:0:0:50, 2001:db8::50",
    "::, ::",
    "::1, ::1",
    "fe80::, fe80::",
    "2001:db8:0:1:0:0:0:1, 2001:db8:0:1::1",
    "1:0:2:0:3:0:4:0, 1:0:2:0:3:0:4:0",
    "::1.2.3.4, ::102:304"
  })
  void readsLiteralsAndWritesThemCanonically(String text, String canonical) {
    assertThat(IpAddresses.format(IpAddresses.parse(text))).isEqualTo(canonical);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost",
        "10.0.0",
        "10.0.0.256",
        "010.0.0.1",
        "10.0.0.1.",
        "10.0.0.1.2",
        "1",
        ":",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "1:2:3",
        "10.0.0.1/32",
        "[::1]",
        " 10.0.0.1"
      })
  void refusesEverythingElse(String text) {
    assertThatThrownBy(() -> IpAddresses.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not an IP address; write it like");
  }

  @Test
  void writesPortsBehindAddresses() {
    assertThat(IpAddresses.format(new InetSocketAddress("10.0.0.2", 1338)))
        .isEqualTo("10.0.0.2:1338");
    assertThat(IpAddresses.format(new InetSocketAddress("2001:db8::2", 1338)))
        .isEqualTo("[2001:db8::2]:1338");
  }

  @Test
  void givesTheSixteenByteFormInTwoHalves() {
    assertThat(IpAddresses.high(IpAddresses.parse("10.0.0.50"))).isZero();
    assertThat(IpAddresses.low(IpAddresses.parse("10.0.0.50"))).isEqualTo(0x0000_ffff_0a00_0032L);
    assertThat(IpAddresses.low(IpAddresses.parse("255.0.0.1"))).isEqualTo(0x0000_ffff_ff00_0001L);
    assertThat(IpAddresses.high(IpAddresses.parse("2001:db8::50")))
        .isEqualTo(0x2001_0db8_0000_0000L);
    assertThat(IpAddresses.low(IpAddresses.parse("2001:db8::50"))).isEqualTo(0x50L);
  }
}
