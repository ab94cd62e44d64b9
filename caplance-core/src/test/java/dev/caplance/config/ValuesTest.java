package dev.caplance.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ValuesTest {

  @Test
  void aDurationIsRefusedOutsideItsRange() {
    ValueParser<Duration> parser = Values.duration(Duration.ofSeconds(1), Duration.ofMinutes(90));
    assertThat(parser.parse("1s")).isEqualTo(Duration.ofSeconds(1));
    assertThat(parser.parse("90m")).isEqualTo(Duration.ofMinutes(90));
    assertThatThrownBy(() -> parser.parse("999ms"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("'999ms' is out of range; write 1s to 1h30m");
    assertThatThrownBy(() -> parser.parse("2h")).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({"0B, 0", "512KB, 524288", "10MB, 10485760", "3GB, 3221225472"})
  void readsSizes(String text, long bytes) {
    assertThat(Values.size(0, Long.MAX_VALUE).parse(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0.0.0.0         | 0.0.0.0 stands for all addresses; name a single one",
        "::              | :: stands for all addresses; name a single one",
        "224.0.0.1       | 224.0.0.1 is a multicast address; use the address of a single machine",
        "ff02::1         | ff02::1 is a multicast address; use the address of a single machine",
        "0.1.2.3         | 0.1.2.3 is reserved and cannot be sent to; use another address",
        "255.255.255.255 | 255.255.255.255 is reserved and cannot be sent to; use another address",
        "240.0.0.1       | 240.0.0.1 is reserved and cannot be sent to; use another address",
        "fe80::1         | fe80::1 is link-local; use an address that can be routed",
        "127.0.0.1       | 127.0.0.1 is a loopback address; other machines cannot reach it",
        "::1             | ::1 is a loopback address; other machines cannot reach it",
        "web 1           | 'web 1' is not an IP address; write it like 10.0.0.50 or 2001:db8::50",
        "10.0.0.256      | '10.0.0.256' is not an IP address; write it like 10.0.0.50 or"
            + " 2001:db8::50",
        "10.0.0.50/24    | '10.0.0.50/24' has a prefix length; write 10.0.0.50",
        "fd00::50/64     | 'fd00::50/64' has a prefix length; write fd00::50",
        "lb1.example     | 'lb1.example' is a host name; write its address, like 10.0.0.50 or"
            + " 2001:db8::50, because names are not looked up",
        "web-1           | 'web-1' is a host name; write its address, like 10.0.0.50 or"
            + " 2001:db8::50, because names are not looked up",
      })
  void refusesAddressesThatNoOtherMachineCanReach(String text, String message) {
    assertThatThrownBy(() -> Values.reachableAddress().parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void theRunDirectoryLeavesRoomForASocketInIt() {
    String longest = "/" + "d".repeat(93);
    assertThat(Values.runDirectory().parse(longest)).isEqualTo(Path.of(longest));
    assertThatThrownBy(() -> Values.runDirectory().parse(longest + "d"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("use at most 94 bytes");
  }
}
