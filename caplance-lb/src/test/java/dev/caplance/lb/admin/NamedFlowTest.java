package dev.caplance.lb.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamedFlowTest {

  /** The last one is what a JVM makes of an arrow in an argument when the locale is C. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp 198.51.100.7:40000 -> 10.0.0.50:80",
        "tcp 198.51.100.7:40000 → 10.0.0.50:80",
        "tcp 198.51.100.7:40000->10.0.0.50:80",
        "  tcp  198.51.100.7:40000→10.0.0.50:80 ",
        "tcp 198.51.100.7:40000 \ufffd\ufffd\ufffd 10.0.0.50:80",
      })
  void readsAFlowWithAnyArrow(String text) {
    NamedFlow flow = NamedFlow.parse(text);
    assertThat(flow.protocol()).isEqualTo(IpProtocol.TCP);
    assertThat(flow.source())
        .isEqualTo(new InetSocketAddress(IpAddresses.parse("198.51.100.7"), 40000));
    assertThat(flow.destination())
        .isEqualTo(new InetSocketAddress(IpAddresses.parse("10.0.0.50"), 80));
    assertThat(flow).hasToString("tcp 198.51.100.7:40000 -> 10.0.0.50:80");
  }

  @Test
  void readsIpv6() {
    NamedFlow flow = NamedFlow.parse("udp [2001:DB8::7]:40000 -> [2001:db8::50]:53");
    assertThat(flow.protocol()).isEqualTo(IpProtocol.UDP);
    assertThat(flow).hasToString("udp [2001:db8::7]:40000 -> [2001:db8::50]:53");
    assertThat(flow.key().destinationPort()).isEqualTo(53);
    assertThat(flow.key().sourceLow()).isEqualTo(7);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "web 10.0.0.1:1 -> 10.0.0.50:80    | is not a flow; write it like tcp 198.51.100.7:40000 ->",
        "tcp 10.0.0.1:1 10.0.0.50:80       | is not a flow; write it like",
        "tcp 10.0.0.1:1                    | is not a flow; write it like",
        "10.0.0.1:1 -> 10.0.0.50:80        | is not a flow; write it like",
        "tcp 10.0.0.1 -> 10.0.0.50:80      | '10.0.0.1' is not an address with a port; write it like",
        "tcp 10.0.0.1:1 -> 10.0.0.50:65536 | '10.0.0.50:65536' is not an address with a port",
        "tcp ::1:1 -> [::2]:80             | '::1:1' is not an address with a port",
        "tcp 10.0.0.256:1 -> 10.0.0.50:80  | '10.0.0.256' is not an IP address",
        "tcp [fd00::x]:1 -> [fd00::50]:80  | 'fd00::x' is not an IP address",
        "tcp 10.0.0.1:1 -> [fd00::50]:80   | one address is IPv4 and the other IPv6",
      })
  void saysWhatIsWrong(String text, String message) {
    assertThatThrownBy(() -> NamedFlow.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
