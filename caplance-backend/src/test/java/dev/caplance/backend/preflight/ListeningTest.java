package dev.caplance.backend.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sockets as {@code ss -Hltun} of iproute2 6.1 prints them. */
class ListeningTest {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress VIP6 = IpAddresses.parse("fd00::50");
  private static final String HOUSEKEEPING =
      """
      udp   UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*
      udp   UNCONN 0      0          10.0.0.11:1337      0.0.0.0:*
      udp   UNCONN 0      0            0.0.0.0:5353      0.0.0.0:*
      tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
      tcp   LISTEN 0      128             [::]:22           [::]:*
      tcp   LISTEN 0      4096       127.0.0.1:631       0.0.0.0:*
      """;

  private static List<String> findings(Set<Listening.Target> targets, String line) {
    return new Listening(List.of(VIP), 1337, targets)
        .findings(HOUSEKEEPING + line + "\n").stream().map(Finding::what).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp   LISTEN 0      511          0.0.0.0:80        0.0.0.0:*",
        "tcp   LISTEN 0      511        10.0.0.50:80        0.0.0.0:*",
        "tcp   LISTEN 0      511                *:80              *:*",
        "tcp   LISTEN 0      50  [::ffff:10.0.0.50]:80          *:*",
        "udp   UNCONN 0      0          10.0.0.50:53        0.0.0.0:*"
      })
  void whatListensOnTheVipOrEverywhereWillDo(String line) {
    assertThat(findings(Set.of(), line)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "tcp   LISTEN 0      511        10.0.0.11:80        0.0.0.0:*",
        "tcp   LISTEN 0      511             [::]:80           [::]:*",
        "udp   UNCONN 0      0            0.0.0.0:1337      0.0.0.0:*"
      })
  void whatClientsDoNotMeetWillNot(String line) {
    assertThat(findings(Set.of(), line)).containsExactly("nothing listens on 10.0.0.50");
  }

  @Test
  void aPortThatIsCheckedMustBeThere() {
    Set<Listening.Target> target = Set.of(new Listening.Target("tcp", VIP, 443));
    assertThat(findings(target, "tcp   LISTEN 0  511  0.0.0.0:80  0.0.0.0:*"))
        .containsExactly("nothing listens on TCP port 443 of 10.0.0.50");
    assertThat(findings(target, "tcp   LISTEN 0  511  10.0.0.50:443  0.0.0.0:*")).isEmpty();
  }

  @Test
  void aUdpPortThatIsCheckedMustBeThere() {
    Set<Listening.Target> target = Set.of(new Listening.Target("udp", VIP, 53));
    assertThat(findings(target, "tcp   LISTEN 0  511  0.0.0.0:53  0.0.0.0:*"))
        .containsExactly("nothing listens on UDP port 53 of 10.0.0.50");
    assertThat(findings(target, "udp   UNCONN 0  0  10.0.0.50:53  0.0.0.0:*")).isEmpty();
  }

  /** Its answers come from this machine's own address; those of a TCP server do not. */
  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0:53        0.0.0.0:*", "*:53              *:*"})
  void aUdpServerOnAllAddressesAnswersFromTheWrongOne(String socket) {
    String line = "udp   UNCONN 0      0  " + socket;
    String what = "UDP port 53 of 10.0.0.50 is served by a socket that is bound to no address";
    assertThat(findings(Set.of(), line)).containsExactly(what);
    assertThat(findings(Set.of(new Listening.Target("udp", VIP, 53)), line)).containsExactly(what);
    assertThat(findings(Set.of(), line + "\nudp   UNCONN 0  0  10.0.0.50:53  0.0.0.0:*")).isEmpty();
  }

  @Test
  void theSocketOfAUdpClientIsNoServer() {
    String web = "tcp   LISTEN 0      511          0.0.0.0:80        0.0.0.0:*\n";
    String line = web + "udp   UNCONN 0      0  0.0.0.0:40000  0.0.0.0:*";
    assertThat(findings(Set.of(), line)).isEmpty();
    assertThat(findings(Set.of(new Listening.Target("udp", VIP, 40000)), line)).hasSize(1);
  }

  @Test
  void anIpv6VipIsMetInBrackets() {
    Listening listening = new Listening(List.of(VIP6), 1337, Set.of());
    assertThat(listening.findings("tcp LISTEN 0 511 [fd00::50]:80 [::]:*\n")).isEmpty();
    assertThat(listening.findings("tcp LISTEN 0 511 [::]:80 [::]:*\n")).isEmpty();
    assertThat(listening.findings("tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:*\n")).hasSize(1);
  }
}
