package dev.caplance.preflight.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.firewall.Firewall.Blockade;
import dev.caplance.preflight.firewall.PacketSample.Direction;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Packets that a load balancer takes, and packets that a machine passes on. */
class DirectionsTest {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final PacketSample ARRIVING =
      PacketSample.to(VIP, "tcp", Direction.ARRIVING).through("eth0");

  private static Firewall nft(String family, String hook, String more) throws IOException {
    String chain =
        "{\"chain\":{\"family\":\"%s\",\"table\":\"t\",\"name\":\"c\",\"handle\":1,"
            + "\"type\":\"filter\",\"hook\":\"%s\",%s,\"policy\":\"drop\"}}";
    return new Firewall(
        NftRuleset.parse("{\"nftables\":[" + chain.formatted(family, hook, more) + "]}"));
  }

  /** The load balancer takes packets in the table raw, at -300. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ip     | prerouting | \"prio\":-400                   | true",
        "inet   | prerouting | \"prio\":-301                   | true",
        "inet   | prerouting | \"prio\":-300                   | false",
        "inet   | prerouting | \"prio\":-150                   | false",
        "ip6    | prerouting | \"prio\":-400                   | false",
        "inet   | input      | \"prio\":-400                   | false",
        "netdev | ingress    | \"prio\":0,\"dev\":\"eth0\"     | true",
        "netdev | ingress    | \"prio\":0,\"dev\":[\"eth1\",\"eth0\"] | true",
        "netdev | ingress    | \"prio\":0,\"dev\":\"eth1\"     | false",
      })
  void whatComesBeforeTheLoadBalancerDropsItsPackets(
      String family, String hook, String more, boolean drops) throws IOException {
    assertThat(nft(family, hook, more).blockades(ARRIVING)).hasSize(drops ? 1 : 0);
  }

  private static Firewall iptables(String nat, String policy, String... forward) {
    return new Firewall(
        IptablesSave.parse(
            "iptables-nft",
            true,
            "*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
                + nat
                + "\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD "
                + policy
                + " [0:0]\n"
                + String.join("\n", forward)
                + "\nCOMMIT\n"));
  }

  private static List<String> translations(String nat) {
    PacketSample delivered = PacketSample.to(VIP, "tcp", Direction.INCOMING).through("lo");
    return iptables(nat, "ACCEPT").translations(delivered).stream()
        .map(Translation::toString)
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-A PREROUTING -d 10.0.0.50/32 -j DNAT --to-destination 10.2.0.2 | 10.2.0.2",
        "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.2.0.2:8080"
            + " | 10.2.0.2:8080",
      })
  void whereAContainersPacketsGoIsRead(String rule, String to) {
    assertThat(translations(rule)).containsExactly(to);
  }

  @ParameterizedTest
  @CsvSource({
    "-A PREROUTING -d 10.0.0.51/32 -j DNAT --to-destination 10.2.0.2",
    "-A PREROUTING -i eth0 -j DNAT --to-destination 10.2.0.2",
    "-A PREROUTING -p udp -j DNAT --to-destination 10.2.0.2",
    "-A PREROUTING -j REDIRECT --to-ports 8080",
    "-A PREROUTING -j DNAT --to-destination 10.2.0.2-10.2.0.9",
  })
  void otherPacketsAreNotThoseOfTheVip(String rule) {
    assertThat(translations(rule)).isEmpty();
  }

  @Test
  void nftTranslatesToo() throws IOException {
    String json =
        """
        {"nftables":[
        {"chain":{"family":"ip","table":"n","name":"c","handle":1,"type":"nat",
          "hook":"prerouting","prio":-100,"policy":"accept"}},
        {"rule":{"family":"ip","table":"n","chain":"c","handle":2,"expr":[
          {"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"daddr"}},
            "right":"10.0.0.50"}},
          {"dnat":{"addr":"10.2.0.2","port":80}}]}}]}""";
    PacketSample delivered = PacketSample.to(VIP, "tcp", Direction.INCOMING).through("lo");
    assertThat(new Firewall(NftRuleset.parse(json)).translations(delivered))
        .extracting(Translation::toString)
        .containsExactly("10.2.0.2:80");
  }

  @Test
  void whatIsPassedOnMeetsForwardOnly() {
    PacketSample there =
        PacketSample.to(IpAddresses.parse("10.2.0.2"), "tcp", Direction.FORWARDED)
            .through("lo")
            .port(80);
    assertThat(iptables("", "ACCEPT").blockades(there)).isEmpty();
    assertThat(iptables("", "DROP").blockades(there))
        .containsExactly(
            new Blockade(
                "iptables-nft FORWARD: policy DROP",
                "iptables-nft -I FORWARD -p tcp -i lo -d 10.2.0.2 --dport 80 -j ACCEPT"));
    String docker = "-A FORWARD -d 10.2.0.2/32 ! -i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT";
    assertThat(iptables("", "DROP", docker).blockades(there)).as("it may go there").isEmpty();
    PacketSample back = PacketSample.forwardedFrom(IpAddresses.parse("10.2.0.2"), "tcp");
    assertThat(iptables("", "DROP").blockades(back))
        .extracting(Blockade::remedy)
        .containsExactly("iptables-nft -I FORWARD -s 10.2.0.2 -j ACCEPT");
  }
}
