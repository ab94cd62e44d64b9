package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.linux.nfqueue.NfQueue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The real {@code --preflight} on two machines of its own; what it advises is done and works. */
class PreflightIT {

  /** A UDP packet from 198.51.100.7 to the VIP, with right checksums. */
  private static final String PACKET =
      "45000021123400004011342cc63364070a4d00329c400009000deafe68656c6c6f";

  private static final String BACKEND =
      """
      name: b
      address: 10.77.0.11
      vips: [10.77.0.50]
      loadBalancers: [{address: 10.77.0.2}]
      """;
  private static final String INVALID_DROPPED =
      "a firewall drops decapsulated packets for 10.77.0.50 on lo if their conntrack state is";
  private static final String BALANCER = "services: [{vip: 10.77.0.50}]\n";

  @TempDir private Path directory;

  private final String id = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
  private final String backend = "caplance-pb-" + id;
  private final String balancer = "caplance-pl-" + id;
  private final List<Process> started = new ArrayList<>();

  /** Binds a queue until its standard input ends. */
  static final class HoldQueue {
    private HoldQueue() {}

    public static void main(String[] args) throws IOException {
      int number = Integer.parseInt(args[0]);
      NfQueue queue = NfQueue.open(number, number + 1000, 16, 1, 1);
      System.out.println("bound");
      System.in.transferTo(System.out);
      queue.close();
    }
  }

  @BeforeEach
  void makeMachines() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String name : List.of(backend, balancer)) {
      Lab.run("ip", "netns", "add", name).succeeded();
      Lab.run("ip", "-n", name, "link", "set", "lo", "up").succeeded();
    }
    Lab.run(
            "ip", "-n", backend, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
            "netns", balancer)
        .succeeded();
    connect(backend, "10.77.0.11/24");
    connect(balancer, "10.77.0.2/24");
  }

  private static void connect(String name, String cidr) {
    Lab.run("ip", "-n", name, "address", "add", cidr, "dev", "eth0").succeeded();
    Lab.run("ip", "-n", name, "link", "set", "eth0", "up").succeeded();
  }

  @AfterEach
  void removeMachines() {
    started.forEach(Process::destroy);
    Lab.run("ip", "netns", "delete", backend);
    Lab.run("ip", "netns", "delete", balancer);
  }

  private static Lab.Result on(String name, String shell) {
    return Lab.run("ip", "netns", "exec", name, "sh", "-c", shell);
  }

  private static Lab.Result java(String name, Class<?> main, String... arguments) {
    List<String> line = new ArrayList<>(List.of("ip", "netns", "exec", name));
    line.addAll(List.of(Lab.java(main, arguments)));
    return Lab.run(line.toArray(String[]::new));
  }

  private void start(String name, String... command) throws IOException {
    List<String> line = new ArrayList<>(List.of("ip", "netns", "exec", name));
    line.addAll(List.of(command));
    Process process = new ProcessBuilder(line).start();
    started.add(process);
    assertThat(process.inputReader().readLine()).isIn("serving", "bound");
  }

  private Lab.Result preflight(String name, String kind, String yaml) {
    return preflight(name, "", kind, yaml);
  }

  private Lab.Result preflight(String name, String as, String kind, String yaml) {
    Path file = directory.resolve(kind + ".yaml");
    try {
      Files.writeString(
          file,
          yaml
              + ("runDirectory: " + directory.resolve("run") + "\n")
              + (kind.equals("lb") ? "stateDirectory: " + directory.resolve("lib") + "\n" : ""));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return on(name, as + Lab.script("caplance") + " " + kind + " --preflight --config " + file);
  }

  private static List<String> about(String what, Lab.Result result) {
    return result.out().lines().filter(line -> line.startsWith(what)).toList();
  }

  /** The only finding about something. */
  private static String finding(String what, Lab.Result result) {
    assertThat(result.exit()).as(result.err()).isEqualTo(1);
    assertThat(about(what, result)).as(result.out()).hasSize(1);
    return about(what, result).get(0);
  }

  private static void mend(String name, String finding) {
    on(name, finding.substring(finding.lastIndexOf("): ") + 3)).succeeded();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "iptables-nft -A INPUT -p udp --dport 1337 -j DROP",
        "iptables-nft -P INPUT DROP; iptables-nft -A INPUT -p tcp --dport 22 -j ACCEPT;"
            + " iptables-nft -A INPUT -i lo -j ACCEPT",
        "nft 'table inet fw { chain input { type filter hook input priority 0; policy drop;"
            + " iif lo accept; ct state established,related accept; tcp dport 22 accept; }; }'"
      })
  void aFirewallThatShutsTheDataPort(String firewall) throws IOException {
    on(backend, firewall).succeeded();
    String finding =
        finding("a firewall blocks UDP port 1337", preflight(backend, "backend", BACKEND));
    assertThat(finding).contains("10.77.0.2").contains("1337");
    mend(backend, finding);
    Lab.Result after = preflight(backend, "backend", BACKEND);
    assertThat(about("a firewall blocks UDP port 1337", after)).isEmpty();
    start(backend, Lab.java(LabPrograms.Echo.class, "b", "10.77.0.11", "1337"));
    Lab.Result answer = java(balancer, LabPrograms.Ask.class, "10.77.0.11", "1337", "1", "9");
    assertThat(answer.succeeded().out().strip()).isEqualTo("b");
  }

  @Test
  void aFirewallThatDropsWhatComesFromLo() {
    on(backend, "ip address add 10.77.0.50/32 dev lo").succeeded();
    on(backend, "iptables-nft -A INPUT -i lo ! -s 127.0.0.0/8 -j DROP").succeeded();
    String finding =
        finding(
            "a firewall drops decapsulated packets for 10.77.0.50",
            preflight(backend, "backend", BACKEND));
    assertThat(finding)
        .endsWith("): iptables-nft -I INPUT -i lo -d 10.77.0.50 -j ACCEPT")
        .contains("! -s 127.0.0.0/8 -i lo -j DROP");
    mend(backend, finding);
    assertThat(about("a firewall drops", preflight(backend, "backend", BACKEND))).isEmpty();
    java(backend, LabPrograms.SendRaw.class, "10.77.0.50", PACKET).succeeded();
    assertThat(on(backend, "iptables-nft-save -c").succeeded().out())
        .contains("[1:33] -A INPUT -d 10.77.0.50/32 -i lo -j ACCEPT")
        .contains("[0:0] -A INPUT ! -s 127.0.0.0/8 -i lo -j DROP");
  }

  @Test
  void aDropOfInvalidPacketsIsOnlyAWarning() throws IOException {
    on(backend, "ip address add 10.77.0.50/32 dev lo").succeeded();
    start(backend, Lab.java(LabPrograms.Echo.class, "b", "10.77.0.50", "9"));
    on(backend, "iptables-nft -A INPUT -m conntrack --ctstate INVALID -j DROP").succeeded();
    Lab.Result result = preflight(backend, "backend", BACKEND).succeeded();
    assertThat(about(INVALID_DROPPED, result)).hasSize(1);
    mend(backend, about(INVALID_DROPPED, result).get(0));
    assertThat(preflight(backend, "backend", BACKEND).succeeded().out())
        .isEqualTo("no problems found\n");
  }

  @Test
  void whatIsToBeDoneByHandAndWasNot() {
    String byHand = BACKEND + "attachVip: false\nsetSysctls: false\n";
    Lab.Result result = preflight(backend, "backend", byHand);
    mend(backend, finding("the VIP 10.77.0.50 is missing", result));
    mend(backend, finding("this machine answers ARP", result));
    mend(backend, finding("this machine sends ARP", result));
    assertThat(preflight(backend, "backend", byHand).out())
        .hasLineCount(1)
        .startsWith("nothing listens on 10.77.0.50");
  }

  @Test
  void aVipWhereNeighboursSeeIt() {
    on(backend, "ip address add 10.77.0.50/24 dev eth0").succeeded();
    mend(backend, finding("the VIP 10.77.0.50 is on eth0", preflight(backend, "backend", BACKEND)));
    assertThat(about("the VIP", preflight(backend, "backend", BACKEND))).isEmpty();
  }

  @Test
  void aLinkThatIsTooSmall() {
    String ipv6 = BACKEND.replace("[10.77.0.50]", "['fd77::50']");
    on(backend, "ip link set dev eth0 mtu 1300").succeeded();
    mend(backend, finding("the MTU 1300 is too small", preflight(backend, "backend", ipv6)));
    assertThat(about("the MTU", preflight(backend, "backend", ipv6))).isEmpty();
  }

  @Test
  void aQueueThatIsTaken() throws IOException {
    start(balancer, Lab.java(HoldQueue.class, "0"));
    String finding = finding("NFQUEUE 0 is already in use", preflight(balancer, "lb", BALANCER));
    String advice = finding.replaceFirst(".*set (queues: \\{.*}) in .*", "$1");
    assertThat(advice).isEqualTo("queues: {first: 1}");
    preflight(balancer, "lb", BALANCER + advice + "\n").succeeded();
  }

  @Test
  void aVipOfNoNetwork() {
    String elsewhere = BALANCER.replace("10.77.0.50", "10.88.0.50");
    assertThat(finding("the VIP 10.88.0.50", preflight(balancer, "lb", elsewhere)))
        .contains("eth0 10.77.0.2/24");
    preflight(balancer, "lb", elsewhere + "attachVip: false\n").succeeded();
  }

  @Test
  void packetsThatAreJoinedTooFar() {
    on(balancer, "ip link set dev eth0 gro_max_size 131072").succeeded();
    mend(balancer, finding("eth0 merges TCP packets", preflight(balancer, "lb", BALANCER)));
    preflight(balancer, "lb", BALANCER).succeeded();
  }

  @Test
  void aFirewallThatShutsTheSessionPort() {
    on(balancer, "iptables-nft -P INPUT DROP").succeeded();
    String finding =
        finding("a firewall blocks TCP port 1338", preflight(balancer, "lb", BALANCER));
    mend(balancer, finding);
    preflight(balancer, "lb", BALANCER).succeeded();
  }

  @ParameterizedTest
  @ValueSource(strings = {"lb", "backend"})
  void aUserWithoutPermission(String kind) {
    String nobody =
        "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all ";
    String name = kind.equals("lb") ? balancer : backend;
    String yaml = kind.equals("lb") ? BALANCER : BACKEND;
    assertThat(finding("missing capabilities", preflight(name, nobody, kind, yaml)))
        .contains("CAP_NET_ADMIN and CAP_NET_RAW", "sudo caplance " + kind);
    assertThat(about("missing capabilities", preflight(name, kind, yaml))).isEmpty();
  }

  /** Native code is unpacked there. */
  @Test
  void aDirectoryWhereNoProgramMayRun() throws IOException {
    Path cache = Files.createDirectory(directory.resolve("cache"));
    String noexec =
        "mount -t tmpfs -o noexec tmpfs " + cache + " && export CACHE_DIRECTORY=" + cache + " && ";
    String words = "native code cannot be loaded from " + cache + "/, where programs must not run";
    assertThat(finding(words, preflight(backend, noexec, "backend", BACKEND)))
        .contains("set CACHE_DIRECTORY");
    Lab.Result start =
        on(
            backend,
            noexec
                + Lab.script("caplance")
                + " backend --config "
                + directory.resolve("backend.yaml"));
    assertThat(start.exit()).isEqualTo(1);
    assertThat(start.out() + start.err()).contains("ERROR " + words).hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nft 'table ip early { chain c { type filter hook prerouting priority -400;"
            + " ip daddr 10.77.0.50 drop; }; }'",
        "nft 'table inet early { chain c { type filter hook prerouting priority -310;"
            + " policy drop; tcp dport 1338 accept; }; }'"
      })
  void aFirewallThatDropsTheVipsPacketsBeforeTheLoadBalancer(String firewall) {
    on(balancer, firewall).succeeded();
    String what = "a firewall drops packets for 10.77.0.50 before the load balancer takes them";
    Lab.Result result = preflight(balancer, "lb", BALANCER);
    assertThat(result.exit()).isEqualTo(1);
    assertThat(about(what, result)).as(result.out()).isNotEmpty();
    about(what, result).forEach(finding -> mend(balancer, finding));
    assertThat(about(what, preflight(balancer, "lb", BALANCER))).isEmpty();
  }

  /** The log would blame the backends, which hear nothing. */
  @Test
  void aFirewallThatKeepsPacketsFromTheBackends() {
    on(balancer, "iptables-nft -A OUTPUT -p udp --dport 1337 -j DROP").succeeded();
    mend(
        balancer,
        finding(
            "a firewall keeps packets from the backends' UDP port 1337",
            preflight(balancer, "lb", BALANCER)));
    preflight(balancer, "lb", BALANCER).succeeded();
  }

  @Test
  void aFirewallThatKeepsTheBackendFromTheLoadBalancer() {
    on(backend, "iptables-nft -A OUTPUT -p tcp --dport 1338 -j REJECT").succeeded();
    String what = "a firewall blocks the way to the load balancer 10.77.0.2:1338";
    mend(backend, finding(what, preflight(backend, "backend", BACKEND)));
    assertThat(about(what, preflight(backend, "backend", BACKEND))).isEmpty();
  }

  /** As for a container's published port. */
  @Test
  void packetsThatArePassedOnAndDropped() {
    on(backend, "iptables-nft -P FORWARD DROP").succeeded();
    on(backend, "sysctl -qw net.ipv4.ip_forward=0").succeeded();
    on(
            backend,
            "iptables-nft -t nat -A PREROUTING -d 10.77.0.50 -p tcp --dport 80 -j DNAT"
                + " --to-destination 172.17.0.2:8080")
        .succeeded();
    Lab.Result result = preflight(backend, "backend", BACKEND);
    String what = "packets for 10.77.0.50 that are passed on to 172.17.0.2:8080";
    mend(backend, finding("this machine drops " + what, result));
    mend(backend, finding("a firewall drops " + what, result));
    mend(backend, finding("a firewall drops replies to " + what, result));
    assertThat(about(what + " are merged", result)).hasSize(1);
    Lab.Result after = preflight(backend, "backend", BACKEND + "joinSegments: false\n");
    assertThat(after.out()).doesNotContain("172.17.0.2");
  }
}
