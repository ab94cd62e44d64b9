package dev.caplance.preflight.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.firewall.Firewall.Blockade;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules as {@code nft -j} 1.0.6 prints them. */
class NftRulesetTest {

  private static final PacketSample DATA =
      PacketSample.to(IpAddresses.parse("10.0.0.11"), "udp", PacketSample.Direction.INCOMING)
          .port(1337)
          .from(IpAddresses.parse("10.0.0.2"))
          .through("eth0");
  private static final PacketSample DATA6 =
      PacketSample.to(IpAddresses.parse("fd00::11"), "udp", PacketSample.Direction.INCOMING)
          .port(1337)
          .from(IpAddresses.parse("fd00::2"))
          .through("eth0");
  private static final PacketSample DELIVERY =
      PacketSample.to(IpAddresses.parse("10.0.0.50"), "tcp", PacketSample.Direction.INCOMING)
          .through("lo");

  private static final String DPORT =
      "{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"udp\",\"field\":\"dport\"}},\"right\":%s}}";
  private static final String SADDR =
      "{\"match\":{\"op\":\"%s\",\"left\":{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}},\"right\":%s}}";

  private static String rule(String chain, String... expressions) {
    return ",{\"rule\":{\"family\":\"inet\",\"table\":\"fw\",\"chain\":\""
        + chain
        + "\",\"handle\":7,\"expr\":["
        + String.join(",", expressions)
        + "]}}";
  }

  private static List<Blockade> blockades(PacketSample sample, String policy, String... rules)
      throws IOException {
    String json =
        "{\"nftables\":[{\"metainfo\":{\"version\":\"1.0.6\",\"json_schema_version\":1}},"
            + "{\"table\":{\"family\":\"inet\",\"name\":\"fw\",\"handle\":1}},"
            + "{\"set\":{\"family\":\"inet\",\"name\":\"ok\",\"table\":\"fw\",\"type\":\"ipv4_addr\",\"handle\":3}},"
            + "{\"chain\":{\"family\":\"inet\",\"table\":\"fw\",\"name\":\"other\",\"handle\":1}},"
            + "{\"chain\":{\"family\":\"inet\",\"table\":\"fw\",\"name\":\"input\",\"handle\":2,"
            + "\"type\":\"filter\",\"hook\":\"input\",\"prio\":0,\"policy\":\""
            + policy
            + "\"}}"
            + String.join("", rules)
            + "]}";
    return new Firewall(NftRuleset.parse(json)).blockades(sample);
  }

  @Test
  void thePolicyAndItsRemedyAreFound() throws IOException {
    assertThat(blockades(DATA, "drop"))
        .containsExactly(
            new Blockade(
                "nft inet fw input: policy DROP",
                "nft insert rule inet fw input ip saddr 10.0.0.2 udp dport 1337 accept"));
    assertThat(blockades(DELIVERY, "drop"))
        .extracting(Blockade::remedy)
        .containsExactly("nft insert rule inet fw input iifname lo ip daddr 10.0.0.50 accept");
    assertThat(blockades(DATA6, "drop"))
        .extracting(Blockade::remedy)
        .containsExactly("nft insert rule inet fw input ip6 saddr fd00::2 udp dport 1337 accept");
    assertThat(blockades(DATA, "accept")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1337", "{\"set\":[53,1337]}", "{\"range\":[1337,1400]}"})
  void portsAreUnderstood(String ports) throws IOException {
    String match = String.format(DPORT, ports);
    String drop =
        rule("input", match, "{\"counter\":{\"packets\":0,\"bytes\":0}}", "{\"drop\":null}");
    assertThat(blockades(DATA, "accept", drop))
        .extracting(Blockade::where)
        .containsExactly("nft inet fw input: rule in input, handle 7");
    assertThat(blockades(DELIVERY, "accept", drop)).isEmpty();
    assertThat(blockades(DATA, "drop", rule("input", match, "{\"accept\":null}"))).isEmpty();
  }

  @Test
  void addressesAreUnderstood() throws IOException {
    String net = "{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":24}}";
    String drop = "{\"drop\":null}";
    assertThat(blockades(DATA, "accept", rule("input", String.format(SADDR, "==", net), drop)))
        .hasSize(1);
    assertThat(blockades(DATA, "accept", rule("input", String.format(SADDR, "!=", net), drop)))
        .isEmpty();
    assertThat(blockades(DATA6, "accept", rule("input", String.format(SADDR, "!=", net), drop)))
        .as("to ask for a field of IPv4 is to ask for IPv4")
        .isEmpty();
    assertThat(
            blockades(
                DATA,
                "drop",
                rule("input", String.format(SADDR, "==", "\"@ok\""), "{\"accept\":null}")))
        .as("a named set may hold anything")
        .isEmpty();
  }

  @Test
  void statesAndInterfacesAreUnderstood() throws IOException {
    String established =
        "{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state\"}},\"right\":[\"established\",\"related\"]}}";
    String invalid =
        "{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state\"}},\"right\":\"invalid\"}}";
    String lo =
        "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":\"lo\"}}";
    String[] rules = {
      rule("input", established, "{\"accept\":null}"),
      rule("input", invalid, "{\"drop\":null}"),
      rule("input", lo, "{\"accept\":null}")
    };
    assertThat(blockades(DATA, "drop", rules)).hasSize(1);
    assertThat(blockades(DELIVERY, "drop", rules)).isEmpty();
    assertThat(blockades(DELIVERY.in(PacketSample.State.INVALID), "drop", rules)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"vmap\":{\"key\":{\"payload\":{\"protocol\":\"udp\",\"field\":\"dport\"}},\"data\":{\"set\":[[80,{\"drop\":null}]]}}}",
        "{\"xt\":{\"type\":\"target\",\"name\":\"REJECT\"}}",
        "{\"queue\":{\"num\":1}}",
        "{\"limit\":{\"rate\":1,\"burst\":5,\"per\":\"second\"}},{\"accept\":null}",
        "{\"match\":{\"op\":\"==\",\"left\":{\"fib\":{\"result\":\"oif\",\"flags\":[\"saddr\",\"iif\"]}},\"right\":false}},{\"accept\":null}",
        "{\"jump\":{\"target\":\"unheard\"}}"
      })
  void whatIsNotUnderstoodMayAccept(String expression) throws IOException {
    assertThat(blockades(DATA, "drop", rule("input", expression))).isEmpty();
  }

  @Test
  void chainsAreFollowed() throws IOException {
    String jump = rule("input", "{\"jump\":{\"target\":\"other\"}}");
    String accept = rule("other", String.format(DPORT, "1337"), "{\"accept\":null}");
    assertThat(blockades(DATA, "drop", jump, accept)).isEmpty();
    assertThat(blockades(DATA, "drop", jump)).hasSize(1);
  }

  @Test
  void somethingElseThanJsonIsRefused() {
    assertThatThrownBy(() -> NftRuleset.parse("oops")).isInstanceOf(IOException.class);
  }
}
