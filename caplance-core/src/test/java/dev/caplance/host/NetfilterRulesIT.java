package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetfilterRulesIT {

  private static final NetfilterRules.Vip VIP =
      new NetfilterRules.Vip(IpAddresses.parse("10.0.0.50"), Ports.ALL, true);
  private static final NetfilterRules.Vip VIP6 =
      new NetfilterRules.Vip(IpAddresses.parse("fd00::50"), Ports.ALL, true);

  private TestNamespace here;
  private TestNamespace.Visit visit;

  /** The guard's socket is opened by this thread. */
  @BeforeEach
  void makeNamespace() throws IOException {
    here = TestNamespace.create();
    visit = here.enter();
  }

  @AfterEach
  void removeNamespace() throws IOException {
    if (visit != null) {
      visit.close();
    }
    if (here != null) {
      here.close();
    }
  }

  private NetfilterRules installed(NetfilterRules.Vip... vips) throws IOException {
    NetfilterRules rules = new NetfilterRules(0, 1, here.commands());
    rules.apply(List.of(vips));
    return rules;
  }

  /** The counters of now: they are read at each check. */
  private static Map<InetAddress, Long> dropped(NetfilterRules rules) throws IOException {
    assertThat(rules.check()).isEmpty();
    return rules.droppedPackets();
  }

  /** What the raw tables hold, without the built-in chains and comments. */
  private List<String> saved() throws IOException {
    return (here.run("iptables-save", "-t", "raw") + here.run("ip6tables-save", "-t", "raw"))
        .lines()
        .filter(line -> line.startsWith("-A ") || line.startsWith(":CAPLANCE"))
        .toList();
  }

  @Test
  void installsAndRemoves() throws IOException {
    NetfilterRules rules = new NetfilterRules(4, 2, here.commands());
    rules.apply(
        List.of(
            VIP, new NetfilterRules.Vip(IpAddresses.parse("10.0.0.51"), Ports.ALL, false), VIP6));
    assertThat(saved())
        .containsExactly(
            ":CAPLANCE - [0:0]",
            ":CAPLANCE-DEFRAG - [0:0]",
            "-A PREROUTING -j CAPLANCE",
            "-A CAPLANCE -d 10.0.0.50/32 -p tcp -j NFQUEUE --queue-balance 6:7",
            "-A CAPLANCE -d 10.0.0.50/32 -p udp -j NFQUEUE --queue-balance 4:5",
            "-A CAPLANCE -d 10.0.0.50/32 -p icmp -m icmp --icmp-type 3 -j NFQUEUE --queue-balance"
                + " 4:5",
            "-A CAPLANCE -d 10.0.0.50/32 -p icmp -m icmp --icmp-type 11 -j NFQUEUE --queue-balance"
                + " 4:5",
            "-A CAPLANCE -d 10.0.0.50/32 -p icmp -m icmp --icmp-type 12 -j NFQUEUE --queue-balance"
                + " 4:5",
            "-A CAPLANCE -d 10.0.0.50/32 -p icmp -m icmp --icmp-type 0 -j RETURN",
            "-A CAPLANCE -d 10.0.0.50/32 -p icmp -m icmp --icmp-type 8 -j RETURN",
            "-A CAPLANCE -d 10.0.0.50/32 -j DROP",
            "-A CAPLANCE -d 10.0.0.51/32 -p tcp -j NFQUEUE --queue-balance 6:7",
            "-A CAPLANCE -d 10.0.0.51/32 -p udp -j NFQUEUE --queue-balance 4:5",
            "-A CAPLANCE -d 10.0.0.51/32 -p icmp -m icmp --icmp-type 3 -j NFQUEUE --queue-balance"
                + " 4:5",
            "-A CAPLANCE -d 10.0.0.51/32 -p icmp -m icmp --icmp-type 11 -j NFQUEUE --queue-balance"
                + " 4:5",
            "-A CAPLANCE -d 10.0.0.51/32 -p icmp -m icmp --icmp-type 12 -j NFQUEUE --queue-balance"
                + " 4:5",
            "-A CAPLANCE -d 10.0.0.51/32 -p icmp -m icmp --icmp-type 0 -j RETURN",
            "-A CAPLANCE -d 10.0.0.51/32 -p icmp -m icmp --icmp-type 8 -j RETURN",
            "-A CAPLANCE -d 10.0.0.51/32 -j RETURN",
            "-A CAPLANCE-DEFRAG -m socket -j RETURN",
            ":CAPLANCE - [0:0]",
            ":CAPLANCE-DEFRAG - [0:0]",
            "-A PREROUTING -j CAPLANCE",
            "-A CAPLANCE -d fd00::50/128 -p tcp -j NFQUEUE --queue-balance 6:7",
            "-A CAPLANCE -d fd00::50/128 -p udp -j NFQUEUE --queue-balance 4:5",
            icmpv6(1, "NFQUEUE --queue-balance 4:5"),
            icmpv6(2, "NFQUEUE --queue-balance 4:5"),
            icmpv6(3, "NFQUEUE --queue-balance 4:5"),
            icmpv6(4, "NFQUEUE --queue-balance 4:5"),
            icmpv6(128, "RETURN"),
            icmpv6(129, "RETURN"),
            icmpv6(130, "RETURN"),
            icmpv6(131, "RETURN"),
            icmpv6(132, "RETURN"),
            icmpv6(133, "RETURN"),
            icmpv6(134, "RETURN"),
            icmpv6(135, "RETURN"),
            icmpv6(136, "RETURN"),
            icmpv6(137, "RETURN"),
            icmpv6(143, "RETURN"),
            "-A CAPLANCE -d fd00::50/128 -j DROP",
            "-A CAPLANCE-DEFRAG -m socket -j RETURN");
    assertThat(rules.check()).isEmpty();
    rules.remove();
    assertThat(saved()).isEmpty();
    rules.remove();
  }

  private static String icmpv6(int type, String target) {
    return "-A CAPLANCE -d fd00::50/128 -p ipv6-icmp -m icmp6 --icmpv6-type "
        + type
        + " -j "
        + target;
  }

  @Test
  void onlyTheConfiguredPortsOfAVipAreQueued() throws IOException {
    Ports ports =
        Ports.parse("tcp/443")
            .union(Ports.parse("tcp/8000-8999"))
            .union(Ports.parse("tcp/80"))
            .union(Ports.parse("udp"));
    NetfilterRules rules = installed(new NetfilterRules.Vip(VIP.address(), ports, false));
    assertThat(saved())
        .filteredOn(line -> line.contains("-p tcp") || line.contains("-p udp"))
        .containsExactly(
            "-A CAPLANCE -d 10.0.0.50/32 -p tcp -m tcp --dport 80 -j NFQUEUE --queue-num 1",
            "-A CAPLANCE -d 10.0.0.50/32 -p tcp -m tcp --dport 443 -j NFQUEUE --queue-num 1",
            "-A CAPLANCE -d 10.0.0.50/32 -p tcp -m tcp --dport 8000:8999 -j NFQUEUE --queue-num 1",
            "-A CAPLANCE -d 10.0.0.50/32 -p udp -j NFQUEUE --queue-num 0");
    assertThat(rules.check()).isEmpty();
  }

  /** Nothing reads the queue here, so that what is queued is lost. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PF_INET  | pack_sockaddr_in($_, inet_aton('10.0.0.50'))",
        "PF_INET6 | pack_sockaddr_in6($_, inet_pton(AF_INET6, 'fd00::50'))",
      })
  void otherPacketsAreLeftToTheHost(String family, String to) throws IOException {
    try (TestNamespace client = clientWithRoutes()) {
      Ports ports = Ports.parse("udp/1000-1999");
      installed(
          new NetfilterRules.Vip(VIP.address(), ports, false),
          new NetfilterRules.Vip(VIP6.address(), ports, false));
      assertThat(silentPorts(client, family, to, "1000, 1500, 1999, 2000, 999"))
          .isEqualTo("1000 1500 1999");
    }
  }

  /**
   * Those of the ports to which a datagram was not answered with port unreachable, when the answer
   * for the last of them has come.
   */
  private static String silentPorts(TestNamespace from, String family, String to, String ports)
      throws IOException {
    return from.run(
        "perl",
        "-MSocket=:all",
        "-e",
        """
        for (%s) {
          socket($s{$_}, %s, SOCK_DGRAM, 0) or die $!;
          connect($s{$_}, %s) or die $!;
          send($s{$_}, 'x', 0) or die $!;
          $last = $_;
        }
        sub answered { vec($set = '', fileno($s{$_[0]}), 1) = 1; select($set, undef, undef, $_[1]) }
        answered($last, 60) or die "no answer for $last";
        print join ' ', grep { !answered($_, 0) } sort { $a <=> $b } keys %%s;
        """
            .formatted(ports, family, to));
  }

  @Test
  void rulesLeftByACrashAreReplacedAndThoseOfAnUnusedFamilyRemoved() throws IOException {
    installed(VIP, VIP6);
    installed(VIP);
    List<String> once = saved();
    assertThat(once).filteredOn(line -> line.contains("-j CAPLANCE")).hasSize(1);
    assertThat(once).noneMatch(line -> line.contains("fd00::50"));
    NetfilterRules last = installed(VIP);
    assertThat(saved()).isEqualTo(once);
    last.remove();
    assertThat(saved()).isEmpty();
  }

  /** As a reload does. */
  @Test
  void otherVipsTakeTheirPlaceAndWithoutAnyNothingIsLeft() throws IOException {
    NetfilterRules rules = installed(VIP, VIP6);
    NetfilterRules.Vip other =
        new NetfilterRules.Vip(IpAddresses.parse("10.0.0.51"), Ports.ALL, false);
    rules.apply(List.of(other));
    assertThat(saved()).noneMatch(line -> line.contains("10.0.0.50") || line.contains("fd00::50"));
    assertThat(saved()).anyMatch(line -> line.contains("10.0.0.51"));
    assertThat(rules.check()).isEmpty();
    rules.apply(List.of());
    assertThat(saved()).isEmpty();
  }

  @Test
  void rulesOfOthersAreLeftAlone() throws IOException {
    String foreign = "-A PREROUTING -s 192.0.2.1/32 -j DROP";
    here.run("iptables", "-t", "raw", "-A", "PREROUTING", "-s", "192.0.2.1/32", "-j", "DROP");
    here.run("iptables", "-t", "raw", "-N", "CAPLANCE-NOT-OURS");
    NetfilterRules rules = installed(VIP);
    assertThat(saved().stream().filter(line -> line.startsWith("-A PREROUTING")))
        .containsExactly("-A PREROUTING -j CAPLANCE", foreign);
    here.run("iptables", "-t", "raw", "-I", "PREROUTING", "-s", "192.0.2.2/32", "-j", "DROP");
    assertThat(rules.check()).isEmpty();
    rules.remove();
    assertThat(saved())
        .containsExactly(
            ":CAPLANCE-NOT-OURS - [0:0]", "-A PREROUTING -s 192.0.2.2/32 -j DROP", foreign);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nft flush ruleset                               | had been removed",
        "iptables -t raw -F                              | had been flushed",
        "iptables -t raw -D PREROUTING 1                 | were there, but nothing jumped to them",
        "iptables -t raw -A PREROUTING -j CAPLANCE       | were jumped to 2 times",
        "iptables -t raw -A OUTPUT -p tcp -g CAPLANCE    | were jumped to 2 times",
        "iptables -t raw -D CAPLANCE 2                   | had been changed",
        "iptables -t raw -F CAPLANCE-DEFRAG              | had been changed",
        "iptables -t raw -I CAPLANCE -p tcp -j ACCEPT    | had been changed",
      })
  void changesByOthersAreUndone(String command, String wrong) throws IOException {
    NetfilterRules rules = installed(VIP);
    List<String> installed = saved();
    here.run(command.split(" "));
    assertThat(rules.check()).containsExactly("the IPv4 rules " + wrong + "; put back");
    assertThat(saved()).isEqualTo(installed);
    assertThat(rules.check()).isEmpty();
  }

  @Test
  void worksWithTheCapabilitiesOfTheServiceUser() throws IOException {
    CommandRunner serviceUser =
        here.commands(
            List.of(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--inh-caps=-all,+net_admin,+net_raw",
                "--ambient-caps=-all,+net_admin,+net_raw"));
    NetfilterRules rules = new NetfilterRules(0, 1, serviceUser);
    rules.apply(List.of(VIP, VIP6));
    assertThat(rules.check()).isEmpty();
    here.run("nft", "flush", "ruleset");
    assertThat(rules.check()).hasSize(2);
    rules.remove();
    assertThat(saved()).isEmpty();
  }

  @Test
  void withoutTheCapabilityTheErrorSaysSo() {
    CommandRunner nobody = here.commands(List.of("setpriv", "--reuid=65534", "--clear-groups"));
    assertThatThrownBy(() -> new NetfilterRules(0, 1, nobody).apply(List.of(VIP)))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("'iptables-nft-save -t raw' failed")
        .hasMessageEndingWith("(needs root, or the capability CAP_NET_ADMIN)");
  }

  /** A kernel without the match, played by refusing the rules that name it. */
  @Test
  void withoutTheSocketMatchOnlyFragmentsAreNotReassembled() throws IOException {
    CommandRunner withoutMatch =
        here.commands(
            List.of(
                "sh",
                "-c",
                """
                case "$1" in *-restore) ;; *) exec "$@";; esac
                input=$(cat)
                case "$input" in *'-m socket'*) echo 'no socket match' >&2; exit 4;; esac
                printf '%s\\n' "$input" | "$@"
                """,
                "sh"));
    NetfilterRules rules = new NetfilterRules(0, 1, withoutMatch);
    rules.apply(List.of(VIP));
    assertThat(saved())
        .contains("-A PREROUTING -j CAPLANCE")
        .noneMatch(line -> line.contains("DEFRAG"));
    here.run("nft", "flush", "ruleset");
    assertThat(rules.check()).hasSize(1);
    rules.remove();
    assertThat(saved()).isEmpty();
  }

  @Test
  void rulesThatTheKernelRefusesChangeNothing() throws IOException {
    installed(VIP);
    List<String> installed = saved();
    NetfilterRules wrong = new NetfilterRules(70_000, 1, here.commands());
    assertThatThrownBy(() -> wrong.apply(List.of(VIP)))
        .isInstanceOf(CommandException.class)
        .hasMessageStartingWith("'iptables-nft-restore --noflush -w 5' failed: ");
    assertThat(saved()).isEqualTo(installed);
  }

  @Test
  void aTableThatBelongsToNftIsAnErrorThatSaysSo() throws IOException {
    here.run("nft", "add table ip raw");
    here.run("nft", "add chain ip raw PREROUTING { type filter hook prerouting priority -300; }");
    here.run("nft", "add rule ip raw PREROUTING ct state new meta mark set 5");
    assertThatThrownBy(() -> installed(VIP))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "the IPv4 table 'raw' was made by nft and cannot be shared; give that table another"
                + " name");
    assertThat(here.run("nft", "list", "table", "ip", "raw")).doesNotContain("CAPLANCE");
  }

  @Test
  void countsOnlyDroppedPackets() throws IOException {
    try (TestNamespace client = clientWithRoutes()) {
      NetfilterRules rules = installed(VIP, VIP6);
      assertThat(dropped(rules)).isEqualTo(Map.of(VIP.address(), 0L, VIP6.address(), 0L));
      send(client, "PF_INET, SOCK_RAW, 99", "pack_sockaddr_in(0, inet_aton('10.0.0.50'))", 3, 8);
      await().until(() -> dropped(rules), dropped -> dropped.get(VIP.address()) == 3);
      String to6 = "pack_sockaddr_in6(0, inet_pton(AF_INET6, 'fd00::50'))";
      send(client, "PF_INET6, SOCK_RAW, 99", to6, 2, 8);
      await().until(() -> dropped(rules), dropped -> dropped.get(VIP6.address()) == 2);
      client.run("ping", "-c", "1", "10.0.0.50");
      client.run("ping", "-c", "1", "fd00::50");
      assertThat(dropped(rules)).isEqualTo(Map.of(VIP.address(), 3L, VIP6.address(), 2L));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PF_INET, SOCK_DGRAM, 0  | pack_sockaddr_in(9, inet_aton('10.0.0.50'))           | 4028",
        "PF_INET6, SOCK_DGRAM, 0 | pack_sockaddr_in6(9, inet_pton(AF_INET6, 'fd00::50')) | 4048",
      })
  void fragmentsMeetTheRulesAsOnePacket(String socket, String to, int length) throws IOException {
    try (TestNamespace client = clientWithRoutes()) {
      installed(VIP, VIP6);
      send(client, socket, to, 1, 4000);
      await()
          .untilAsserted(
              () ->
                  assertThat(
                          here.run("iptables-save", "-c", "-t", "raw")
                              + here.run("ip6tables-save", "-c", "-t", "raw"))
                      .containsOnlyOnce("[1:" + length + "] -A CAPLANCE -d "));
    }
  }

  /** Whether the table of the guard is there. */
  private boolean isGuarded() throws IOException {
    return here.run("nft", "list", "tables").contains("inet caplance-guard");
  }

  /** Without rules and without a guard, this machine would answer "port unreachable". */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PF_INET  | pack_sockaddr_in($_, inet_aton('10.0.0.50'))",
        "PF_INET6 | pack_sockaddr_in6($_, inet_pton(AF_INET6, 'fd00::50'))",
      })
  void afterAFlushTheGuardDropsWhatWouldReachTheHost(String family, String to) throws IOException {
    try (TestNamespace client = clientWithRoutes()) {
      Ports ports = Ports.parse("udp/1000-1999").union(Ports.parse("tcp"));
      NetfilterRules rules =
          installed(
              new NetfilterRules.Vip(VIP.address(), ports, false),
              new NetfilterRules.Vip(VIP6.address(), ports, false));
      here.run("nft", "flush", "ruleset");
      assertThat(saved()).isEmpty();
      assertThat(silentPorts(client, family, to, "1000, 1500, 1999, 2000, 999"))
          .isEqualTo("1000 1500 1999");
      rules.remove();
      assertThat(isGuarded()).isFalse();
    }
  }

  @Test
  void theGuardFollowsTheServices() throws IOException {
    NetfilterRules rules = installed(VIP, VIP6);
    rules.apply(List.of(new NetfilterRules.Vip(VIP.address(), Ports.parse("tcp/80-90"), false)));
    assertThat(here.run("nft", "list", "table", "inet", "caplance-guard"))
        .contains("10.0.0.50 . tcp . 80-90")
        .doesNotContain("fd00::50", "udp");
    rules.apply(List.of());
    assertThat(isGuarded()).isFalse();
  }

  /** A thousand services make more than one message. */
  @Test
  void theGuardHasRoomForManyServices() throws IOException {
    NetfilterRules.Vip[] vips =
        IntStream.range(0, 500)
            .mapToObj(i -> IpAddresses.parse("10.1." + i / 250 + "." + i % 250))
            .map(vip -> new NetfilterRules.Vip(vip, Ports.parse("tcp/80"), false))
            .toArray(NetfilterRules.Vip[]::new);
    installed(vips);
    assertThat(here.run("nft", "list", "table", "inet", "caplance-guard"))
        .contains("10.1.0.0 . tcp . 80", "10.1.1.249 . tcp . 80");
  }

  /** As it stays after a crash where the kernel lets it outlive its owner. */
  @Test
  void aGuardWithoutAnOwnerIsReplaced() throws IOException {
    here.run("nft", "add table inet caplance-guard");
    here.run("nft", "add chain inet caplance-guard input { type filter hook input priority 0; }");
    NetfilterRules rules = installed(VIP);
    assertThat(here.run("nft", "list", "table", "inet", "caplance-guard")).contains("10.0.0.50");
    rules.remove();
    assertThat(isGuarded()).isFalse();
  }

  /** Two hundred VIPs of both families beside the two that the tests send to. */
  private static NetfilterRules.Vip[] crowd(Ports ports, boolean dropOther) {
    Ports web = Ports.parse("tcp/80").union(Ports.parse("udp/443"));
    Stream<NetfilterRules.Vip> others =
        IntStream.range(0, 100)
            .boxed()
            .flatMap(i -> Stream.of("10.1.0." + i, "fd01::" + i))
            .map(vip -> new NetfilterRules.Vip(IpAddresses.parse(vip), web, false));
    return Stream.concat(
            others,
            Stream.of(VIP, VIP6)
                .map(vip -> new NetfilterRules.Vip(vip.address(), ports, dropOther)))
        .toArray(NetfilterRules.Vip[]::new);
  }

  private List<String> sets() throws IOException {
    return here.run("ipset", "list", "-name").lines().toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PF_INET  | pack_sockaddr_in($_, inet_aton('10.0.0.50'))",
        "PF_INET6 | pack_sockaddr_in6($_, inet_pton(AF_INET6, 'fd00::50'))",
      })
  void manyVipsMakeFewRules(String family, String to) throws IOException {
    try (TestNamespace client = clientWithRoutes()) {
      Ports ports =
          Ports.parse("udp/100")
              .union(Ports.parse("udp/200-210"))
              .union(Ports.parse("udp/1000-1999"));
      NetfilterRules rules = installed(crowd(ports, false));
      assertThat(saved()).hasSizeLessThan(60).noneMatch(line -> line.contains("10.1.0."));
      assertThat(rules.check()).isEmpty();
      assertThat(silentPorts(client, family, to, "100, 205, 1500, 211, 999"))
          .isEqualTo("100 205 1500");
      rules.remove();
      assertThat(saved()).isEmpty();
      assertThat(sets()).isEmpty();
    }
  }

  @Test
  void setsThatAnotherProgramEmptiesAreFilledAgain() throws IOException {
    NetfilterRules rules = installed(crowd(Ports.ALL, false));
    String filled = here.run("ipset", "save", "-sorted");
    here.run("ipset", "flush");
    assertThat(rules.check())
        .containsExactly(
            "the IPv4 sets had lost entries; filled again",
            "the IPv6 sets had lost entries; filled again");
    assertThat(entries(here.run("ipset", "save", "-sorted"))).isEqualTo(entries(filled));
    assertThat(rules.check()).isEmpty();
  }

  private static List<String> entries(String saved) {
    return saved.lines().filter(line -> line.startsWith("add ")).sorted().toList();
  }

  /** As after a crash, and a change of the configuration. */
  @Test
  void setsThatAreNotNeededAnyMoreAreRemoved() throws IOException {
    here.run("ipset", "create", "OTHER", "hash:ip");
    installed(crowd(Ports.ALL, true));
    assertThat(sets()).contains("CAPLANCE-4-VIPS", "CAPLANCE-6-PORTS", "CAPLANCE-4-DROP");
    installed(crowd(Ports.parse("tcp"), false));
    assertThat(sets())
        .contains("CAPLANCE-4-TCP")
        .doesNotContain("CAPLANCE-4-DROP", "CAPLANCE-4-UDP");
    installed(VIP);
    assertThat(sets()).containsExactly("OTHER");
  }

  @Test
  void countsDroppedPacketsOfManyVips() throws IOException {
    try (TestNamespace client = clientWithRoutes()) {
      NetfilterRules rules = installed(crowd(Ports.parse("tcp/80"), true));
      send(client, "PF_INET, SOCK_RAW, 99", "pack_sockaddr_in(0, inet_aton('10.0.0.50'))", 3, 8);
      await()
          .until(
              () -> dropped(rules),
              dropped -> dropped.equals(Map.of(VIP.address(), 3L, VIP6.address(), 0L)));
    }
  }

  /** A machine without the program, played by refusing to run it. */
  @Test
  void withoutIpsetThereAreRulesForEachVip() throws IOException {
    CommandRunner withoutIpset =
        here.commands(List.of("sh", "-c", "case $1 in ipset) exit 1;; esac; exec \"$@\"", "sh"));
    NetfilterRules rules = new NetfilterRules(0, 1, withoutIpset);
    rules.apply(List.of(crowd(Ports.ALL, false)));
    assertThat(saved()).anyMatch(line -> line.contains("-d 10.1.0.7/32 -p tcp"));
    assertThat(rules.check()).isEmpty();
    rules.remove();
    assertThat(saved()).isEmpty();
  }

  private TestNamespace clientWithRoutes() throws IOException {
    TestNamespace client = TestNamespace.create();
    here.connect("eth0", "10.0.0.2/24", client, "10.0.0.10/24");
    here.connect("eth1", "fd00::2/64", client, "fd00::10/64");
    here.run("ip", "address", "add", "10.0.0.50/32", "dev", "eth0");
    here.run("ip", "address", "add", "fd00::50/128", "dev", "eth1", "nodad");
    return client;
  }

  /** Sends datagrams of this many bytes, by Perl, which every Debian has. */
  private static void send(TestNamespace from, String socket, String to, int count, int length)
      throws IOException {
    from.run(
        "perl",
        "-MSocket=:all",
        "-e",
        "socket(S, %s) or die $!; for (1..%d) { send(S, 'x' x %d, 0, %s) or die $! }"
            .formatted(socket, count, length, to));
  }
}
