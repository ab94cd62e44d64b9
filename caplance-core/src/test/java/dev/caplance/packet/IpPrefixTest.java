package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpPrefixTest {

  @ParameterizedTest
  @CsvSource({
    "10.0.0.2/9, 10.127.255.255, true",
    "10.0.0.2/9, 10.128.0.0, false",
    "10.0.0.2/32, 10.0.0.2, true",
    "10.0.0.2/32, 10.0.0.3, false",
    "0.0.0.0/0, 203.0.113.9, true",
    "0.0.0.0/0, 2001:db8::1, false",
    "2001:db8::/33, 2001:db8:7fff::1, true",
    "2001:db8::/33, 2001:db8:8000::1, false",
    "::/0, 10.0.0.2, false",
  })
  void containsWhatHasTheSameFirstBits(String prefix, String address, boolean contained) {
    assertThat(IpPrefix.parse(prefix).contains(IpAddresses.parse(address))).isEqualTo(contained);
    assertThat(IpPrefix.parse(prefix)).hasToString(prefix);
  }

  @Test
  void anAddressAloneStandsForItself() {
    assertThat(IpPrefix.parse("10.0.0.2")).hasToString("10.0.0.2/32");
    assertThat(IpPrefix.of(IpAddresses.parse("2001:db8::1"))).hasToString("2001:db8::1/128");
    assertThat(IpPrefix.parse("10.0.0.2").isSingleAddress()).isTrue();
    assertThat(IpPrefix.parse("10.0.0.2/31").isSingleAddress()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "10.0.0.2/", "10.0.0.2/33", "10.0.0.2/-1", "::/129", "10.0.0/8", "/8"})
  void refusesOtherTexts(String text) {
    assertThatThrownBy(() -> IpPrefix.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
