package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PortsTest {

  private static Ports ports(String... texts) {
    return Stream.of(texts).map(Ports::parse).reduce(Ports.NONE, Ports::union);
  }

  @ParameterizedTest
  @CsvSource({
    "tcp/80, 6, 80, true",
    "tcp/80, 6, 79, false",
    "tcp/80, 6, 81, false",
    "tcp/80, 17, 80, false",
    "udp/443, 17, 443, true",
    "udp/443, 6, 443, false",
    "tcp/8000-8999, 6, 7999, false",
    "tcp/8000-8999, 6, 8000, true",
    "tcp/8000-8999, 6, 8999, true",
    "tcp/8000-8999, 6, 9000, false",
    "tcp/1-65535, 6, 65535, true",
    "tcp/1-65535, 6, 0, false",
    "tcp, 6, 0, true",
    "tcp, 6, 65535, true",
    "tcp, 17, 80, false",
    "udp, 17, 80, true",
    "udp, 1, 80, false",
  })
  void contains(String text, int protocol, int port, boolean contained) {
    assertThat(Ports.parse(text).contains(protocol, port)).isEqualTo(contained);
  }

  @Test
  void allAreThoseOfTcpAndUdp() {
    for (int port = 0; port < 65_536; port++) {
      assertThat(Ports.ALL.contains(IpProtocol.TCP, port)).isTrue();
      assertThat(Ports.ALL.contains(IpProtocol.UDP, port)).isTrue();
    }
    assertThat(Ports.ALL.contains(IpProtocol.ICMP, 0)).isFalse();
    assertThat(Ports.ALL.hasAll(IpProtocol.TCP)).isTrue();
    assertThat(ports("tcp/1-65535").hasAll(IpProtocol.TCP)).isFalse();
  }

  @Test
  void aUnionJoinsNeighbours() {
    Ports ports = ports("udp/53", "tcp/81-90", "tcp/80", "tcp/85-100", "tcp/200");
    assertThat(ports).hasToString("tcp/80-100, tcp/200, udp/53");
    assertThat(ports).isEqualTo(ports("tcp/80-100", "udp/53", "tcp/200"));
    assertThat(ports.ranges(IpProtocol.TCP))
        .containsExactly(new Ports.Range(80, 100), new Ports.Range(200, 200));
    assertThat(ports.ranges(IpProtocol.UDP)).containsExactly(new Ports.Range(53, 53));
    assertThat(Ports.ALL).hasToString("tcp, udp");
    assertThat(Ports.ALL.ranges(IpProtocol.UDP)).containsExactly(new Ports.Range(0, 65535));
  }

  @Test
  void anIntersectionTellsWhatTwoHaveInCommon() {
    assertThat(ports("tcp/80", "udp/53").intersection(ports("tcp/53", "udp/80")).isEmpty())
        .isTrue();
    assertThat(ports("tcp/1-100", "udp").intersection(ports("tcp/90-200", "udp/53")))
        .isEqualTo(ports("tcp/90-100", "udp/53"));
  }

  @Test
  void operationsLeaveTheirOperandsAsTheyWere() {
    Ports web = ports("tcp/80");
    Ports dns = ports("udp/53");
    assertThat(web.union(dns)).isEqualTo(dns.union(web));
    assertThat(web.intersection(dns)).isEqualTo(Ports.NONE);
    assertThat(web).isEqualTo(ports("tcp/80")).isNotEqualTo(dns);
    assertThat(dns).isEqualTo(ports("udp/53"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "80",
        "http",
        "sctp/80",
        "TCP/80",
        "tcp/",
        "tcp/0",
        "tcp/080",
        "tcp/-80",
        "tcp/80-",
        "tcp/80 ",
        "tcp/80,81",
        "tcp/100000",
        "icmp"
      })
  void refusesWhatIsNoPort(String text) {
    assertThatThrownBy(() -> Ports.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("'" + text + "' is not a port; write it like tcp/80, udp/443 or tcp/8000-8999");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tcp/65536    | 'tcp/65536' names port 65536; the last is 65535",
        "udp/80-99999 | 'udp/80-99999' names port 99999; the last is 65535",
        "udp/90-80    | 'udp/90-80' ends before it begins; write udp/80-90",
      })
  void saysWhatIsWrongWithAPort(String text, String message) {
    assertThatThrownBy(() -> Ports.parse(text)).hasMessage(message);
  }
}
