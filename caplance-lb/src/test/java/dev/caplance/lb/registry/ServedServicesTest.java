package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A backend gets the packets of the services that it serves, by their names and its VIPs. The
 * services are web and mail (10.0.0.50) and dns (2001:db8::50).
 */
class ServedServicesTest {

  private final RegistryHarness harness = new RegistryHarness();
  private CapturedLog log;

  @BeforeEach
  void captureTheLog() {
    log = new CapturedLog();
  }

  @AfterEach
  void close() {
    log.close();
    harness.close();
  }

  private RegistryHarness.Peer probing(String... options) {
    return harness.register(
        "web-1", "10.0.0.11", "version=2 health=5s probe=1 " + String.join(" ", options).strip());
  }

  private ServedServices served() {
    return harness.entry("web-1").backend().services();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "              | 10.0.0.50              | services=2              | web mail",
        "              | 2001:db8::50           | services=1              | dns",
        "              | 2001:db8::50,10.0.0.50 | services=3              | all",
        "services=web  | 10.0.0.50              | services=1              | web",
        "services=web  | 10.0.0.50,10.0.0.51    | services=1              | web",
        "services=web  | 2001:db8::50           | services=0              | ''",
        "services=wbe  | 10.0.0.50              | services=0 unknown=wbe  | ''",
        "services=web,wbe,mial | 10.0.0.50      | services=1 unknown=wbe,mial | web",
        "              | 10.0.0.51              | services=0              | ''",
      })
  void whatItServesIsTold(String options, String vips, String answer, String names) {
    RegistryHarness.Peer peer = probing(options == null ? "" : options);
    peer.say("SERVES web-1 vips=" + vips);
    assertThat(peer.hear()).containsExactly("SERVING web-1 " + answer);
    peer.say("HEALTH 200");
    harness.turn();
    ServedServices expected =
        names.equals("all")
            ? ServedServices.ALL
            : new ServedServices(false, names.isEmpty() ? Set.of() : Set.of(names.split(" ")));
    assertThat(served()).isEqualTo(expected);
    assertThat(harness.forwarding()).isEqualTo(expected.none() ? List.of() : List.of("web-1"));
    assertThat(log.lines().stream().filter(line -> line.contains("no service in common")))
        .hasSize(expected.none() ? 1 : 0);
  }

  @Test
  void withoutAWordItServesAllThatItsNamesAllow() {
    probing().say("HEALTH 200");
    assertThat(served()).isEqualTo(ServedServices.ALL);
    harness.register("old", "10.0.0.19").say("HEALTH 200");
    assertThat(harness.entry("old").backend().services().names()).containsExactly("web");
  }

  @Test
  void aNameThatNoServiceHasIsAWarningForOthersToo() {
    RegistryHarness.Peer peer = harness.register("web-1", "10.0.0.11", "version=2", "services=wbe");
    peer.say("HEALTH 200");
    assertThat(served().none()).isTrue();
    assertThat(harness.forwarding()).isEmpty();
    assertThat(log.lines()).last().isEqualTo("INFO web-1 (10.0.0.11): healthy");
    assertThat(log.lines())
        .contains(
            "WARN web-1 (10.0.0.11): no service in common, so it gets no packets; it names wbe; the"
                + " services here are: web (10.0.0.50), mail (10.0.0.50), dns (2001:db8::50)");
  }

  /** A line has 512 bytes. */
  @Test
  void twoHundredVipsTakeAsManyLinesAsTheyNeed() {
    List<InetAddress> vips = new ArrayList<>();
    IntStream.range(0, 200).forEach(i -> vips.add(IpAddresses.parse("2001:db8:1:2:3:4:5:" + i)));
    vips.set(199, IpAddresses.parse("2001:db8::50"));
    List<Message.Serves> lines = Message.Serves.split("web-1", vips);
    RegistryHarness.Peer peer = probing();
    lines.forEach(line -> peer.say(MessageCodec.format(line)));
    assertThat(peer.hear()).hasSameSizeAs(lines).last().isEqualTo("SERVING web-1 services=1");
    peer.say("HEALTH 200");
    assertThat(served().names()).containsExactly("dns");
  }

  @Test
  void aReconnectionKeepsTheOldSetUntilItsFirstHealth() {
    RegistryHarness.Peer first = probing();
    first.say("SERVES web-1 vips=10.0.0.50", "HEALTH 200");
    harness.turn();
    assertThat(served().names()).containsExactlyInAnyOrder("web", "mail");
    RegistryHarness.Peer again = probing();
    again.say("SERVES web-1 vips=2001:db8::50");
    assertThat(served().names()).containsExactlyInAnyOrder("web", "mail");
    again.say("HEALTH 200");
    assertThat(served().names()).containsExactly("dns");
  }

  @Test
  void itComesBeforeTheFirstHealthAndWithProbesOnly() {
    RegistryHarness.Peer peer = probing();
    peer.say("HEALTH 200");
    peer.hear();
    peer.say("SERVES web-1 vips=10.0.0.50", "SERVES web-2 vips=10.0.0.50");
    assertThat(peer.hear())
        .containsExactly(
            "INVALID SERVES comes before the first HEALTH; register again when the VIPs change",
            "INVALID this session belongs to web-1, not to web-2");
    assertThat(served()).isEqualTo(ServedServices.ALL);
  }

  @Test
  void equalSetsAreOneObject() {
    probing().say("SERVES web-1 vips=10.0.0.50", "HEALTH 200");
    RegistryHarness.Peer other =
        harness.register("web-2", "10.0.0.12", "version=2 health=5s probe=1 services=mail,web,x");
    other.say("HEALTH 200");
    assertThat(harness.entry("web-2").backend().services()).isSameAs(served());
  }
}
