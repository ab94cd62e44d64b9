package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.dist.LabConfigs.OuterIp;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Daemons that come, go, die and fall silent, and what they leave on their machines. */
class LifecycleIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static String addresses(Cluster cluster, String host) {
    return cluster.lab().exec(host, "ip", "-o", "address").succeeded().out();
  }

  private static String rules(Cluster cluster) {
    return cluster.lab().exec("lb1", "iptables-save", "-t", "raw").succeeded().out();
  }

  private static String arpSysctls(Cluster cluster, String host) {
    String[] show = {
      "sysctl", "-n", "net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.all.arp_announce"
    };
    return cluster.lab().exec(host, show).succeeded().out();
  }

  /** The rules of both families that lower the MSS, without the counters. */
  private static List<String> mssRules(Cluster cluster, String host) {
    return Stream.of("iptables-save", "ip6tables-save")
        .flatMap(save -> cluster.lab().exec(host, save, "-t", "mangle").succeeded().out().lines())
        .filter(line -> line.contains("CAPLANCE"))
        .map(line -> line.replaceAll("\\[\\d+:\\d+\\]", ""))
        .toList();
  }

  private static void assertAtWork(Cluster cluster) {
    assertThat(addresses(cluster, "b1")).contains(Lab.VIP, Lab.VIP6);
    assertThat(arpSysctls(cluster, "b1")).isEqualTo("1\n2\n");
    assertThat(mssRules(cluster, "b1")).as("chain, jump and rule of each family").hasSize(6);
  }

  private static void assertNothingLeft(Cluster cluster) {
    assertThat(addresses(cluster, "b1")).doesNotContain(Lab.VIP, Lab.VIP6);
    assertThat(arpSysctls(cluster, "b1")).isEqualTo("0\n0\n");
    assertThat(mssRules(cluster, "b1")).isEmpty();
    assertThat(Lab.directory("b1", "run").resolve("backend.sock")).doesNotExist();
  }

  private static long jumps(Cluster cluster) {
    return rules(cluster).lines().filter(line -> line.startsWith("-A PREROUTING")).count();
  }

  @Test
  void aStoppedBackendLeavesNothing() {
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV4), "b1", "b2")) {
      assertAtWork(cluster);
      assertThat(cluster.backend("b1").stop()).isZero();
      assertThat(cluster.forwarding()).isEqualTo(1);
      assertThat(cluster.request(50)).isEqualTo(Map.of("b2", 50));
      assertNothingLeft(cluster);
      assertThat(cluster.balancer().log()).contains("b1");
    }
  }

  @Test
  void aKilledBackendIsGoneAtOnceAndComesBack() {
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV4), "b1", "b2")) {
      List<String> rules = mssRules(cluster, "b1");
      cluster.backend("b1").kill();
      cluster.awaitForwarding(1);
      assertThat(cluster.request(50)).isEqualTo(Map.of("b2", 50));
      assertThat(mssRules(cluster, "b1")).as("after a crash").isEqualTo(rules);
      cluster.startBackend("b1");
      cluster.awaitForwarding(2);
      assertThat(cluster.request(100).keySet()).containsExactly("b1", "b2");
      assertThat(mssRules(cluster, "b1")).as("after the restart").isEqualTo(rules);
      assertAtWork(cluster);
      assertThat(cluster.backend("b1").stop()).isZero();
      assertNothingLeft(cluster);
    }
  }

  /** Stopped by SIGSTOP its session stays open, and only the read timeout of 3 × 5 s ends it. */
  @Test
  void aBackendThatStandsStillGetsNoNewFlows() {
    try (Cluster cluster = new Cluster("b1", "b2")) {
      cluster.backend("b1").signal("STOP");
      cluster.awaitForwarding(1);
      assertThat(cluster.balancer().log()).contains("unhealthy: data path");
      assertThat(cluster.request(50)).isEqualTo(Map.of("b2", 50));
      cluster.backend("b1").signal("CONT");
      cluster.awaitForwarding(2);
    }
  }

  @Test
  void aStoppedLoadBalancerLeavesNothingAndBackendsReturnToTheNext() {
    try (Cluster cluster = new Cluster("b1", "b2")) {
      assertThat(addresses(cluster, "lb1")).contains(Lab.VIP);
      assertThat(jumps(cluster)).isEqualTo(1);
      assertThat(cluster.balancer().stop()).isZero();
      assertThat(addresses(cluster, "lb1")).doesNotContain(Lab.VIP);
      assertThat(rules(cluster)).doesNotContain("CAPLANCE");
      assertThat(Lab.directory("lb1", "run").resolve("lb.sock")).doesNotExist();
      cluster.startBalancer();
      cluster.awaitForwarding(2);
      assertThat(cluster.request(100).keySet()).containsExactly("b1", "b2");
    }
  }

  @Test
  void aKilledLoadBalancerIsReplacedWithoutATrace() {
    try (Cluster cluster = new Cluster("b1", "b2")) {
      String before = rules(cluster).replaceAll("(?m)^#.*$|\\[\\d+:\\d+\\]", "");
      cluster.balancer().kill();
      assertThat(addresses(cluster, "lb1")).contains(Lab.VIP);
      cluster.startBalancer();
      cluster.awaitForwarding(2);
      assertThat(rules(cluster).replaceAll("(?m)^#.*$|\\[\\d+:\\d+\\]", "")).isEqualTo(before);
      assertThat(cluster.request(100).keySet()).containsExactly("b1", "b2");
      assertThat(cluster.balancer().stop()).isZero();
      assertThat(rules(cluster)).doesNotContain("CAPLANCE");
      assertThat(addresses(cluster, "lb1")).doesNotContain(Lab.VIP);
    }
  }

  /**
   * Without its rules the load balancer's own TCP would reset connections and refuse new ones, as
   * Debian's own nftables.conf, which begins with a flush, had it do.
   */
  @Test
  void aFirewallReloadCostsNoConnection() {
    String[] names = {"b1", "b2"};
    String[] flushes = {
      "iptables -t raw -F && iptables -t raw -X", "iptables -F", "nft flush ruleset"
    };
    try (Cluster cluster = new Cluster(names);
        Conversations conversations = new Conversations(cluster.lab(), names);
        Dialogue requests =
            new Dialogue(cluster.lab(), "client", TcpPrograms.Requests.class, Lab.VIP, "80", "4")) {
      conversations.openUntil(20);
      for (String flush : flushes) {
        cluster.lab().exec("lb1", "bash", "-c", flush).succeeded();
        await("rules").atMost(PATIENCE).until(() -> jumps(cluster) == 1);
        conversations.awaitProgress();
      }
      assertThat(conversations.broken()).isEmpty();
      assertThat(requests.ask("stop")).as("answers, then failed requests").hasSize(1);
      assertThat(cluster.balancer().log()).contains("put back");
    }
  }

  @Test
  void anAddressThatTheAdministratorAddedStays() {
    Lab lab = Lab.up();
    lab.exec("b3", "ip", "address", "add", Lab.VIP + "/32", "dev", "lo").succeeded();
    try (Cluster cluster = new Cluster("b3")) {
      assertThat(cluster.request(10)).isEqualTo(Map.of("b3", 10));
      cluster.backend("b3").stop();
      assertThat(addresses(cluster, "b3")).contains(Lab.VIP);
    } finally {
      lab.exec("b3", "ip", "address", "delete", Lab.VIP + "/32", "dev", "lo").succeeded();
    }
  }

  @Test
  void aSecondDaemonOnTheSameMachineIsRefused() {
    try (Cluster cluster = new Cluster("b1")) {
      Lab.Result second = cluster.lab().exec("b1", Lab.script("caplance"), "backend");
      assertThat(second.exit()).isEqualTo(1);
      assertThat(second.out() + second.err()).contains("another 'caplance backend'");
      assertThat(cluster.request(10)).isEqualTo(Map.of("b1", 10));
    }
  }

  @Test
  void aBackendStaysPausedWhenTheLoadBalancerRestarts() {
    try (Cluster cluster = new Cluster("b1", "b2")) {
      cluster.ctl("b1", "pause").succeeded();
      cluster.balancer().stop();
      cluster.startBalancer();
      await("both have returned")
          .atMost(PATIENCE)
          .until(() -> cluster.balancer().status().getAsJsonArray("backends").size() == 2);
      cluster.awaitForwarding(1);
      assertThat(cluster.request(50)).isEqualTo(Map.of("b2", 50));
    }
  }

  /** Or a restart would put a server under maintenance back. */
  @Test
  void whatAnOperatorSaidOutlivesTheBackendsDaemon() {
    try (Cluster cluster = new Cluster("b1", "b2")) {
      cluster.ctl("b1", "pause").succeeded();
      cluster.ctl("b1", "pause").succeeded();
      cluster.backend("b1").stop();
      cluster.startBackend("b1");
      assertThat(cluster.backend("b1").log()).contains("paused, as an operator said before");
      await("registered again")
          .atMost(PATIENCE)
          .until(() -> cluster.balancer().status().getAsJsonArray("backends").size() == 2);
      assertThat(cluster.request(50)).isEqualTo(Map.of("b2", 50));
      cluster.ctl("b1", "resume").succeeded();
      cluster.awaitForwarding(2);
      cluster.backend("b1").kill();
      cluster.startBackend("b1");
      cluster.awaitForwarding(2);
    }
  }

  /** Without them this machine would take the VIPs over from the load balancer. */
  @Test
  void kernelParametersThatSomethingChangesAreSetAgain() {
    try (Cluster cluster = new Cluster("b1")) {
      String conf = "net.ipv4.conf.all.";
      cluster
          .lab()
          .exec("b1", "sysctl", "-qw", conf + "arp_ignore=0", conf + "arp_announce=0")
          .succeeded();
      await("set again").atMost(PATIENCE).until(() -> arpSysctls(cluster, "b1").equals("1\n2\n"));
      assertThat(cluster.backend("b1").log())
          .contains("net.ipv4.conf.all.arp_ignore was set to 0 by something else");
    }
  }
}
