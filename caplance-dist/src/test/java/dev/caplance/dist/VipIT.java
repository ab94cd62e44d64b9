package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose the VIP is: this load balancer's, another machine's, another program's, or nobody's. */
class VipIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String[] NAMES = {"b1", "b2"};
  private static final String WEB = "services: [{name: web, vip: 10.77.0.50}]\n";
  private static final String BOTH =
      "vips: [10.77.0.50]\nloadBalancers: [{address: 10.77.0.2}, {address: 10.77.0.3}]\n";

  private static String backend(int number) {
    return "name: b" + number + "\naddress: 10.77.0.1" + number + "\n" + BOTH;
  }

  private static String addresses(Lab lab, String host) {
    return lab.exec(host, "ip", "-o", "address").succeeded().out();
  }

  private static void ip(Lab lab, String... command) {
    String[] line = new String[command.length + 1];
    line[0] = "ip";
    System.arraycopy(command, 0, line, 1, command.length);
    lab.exec("lb1", line).succeeded();
  }

  private static String troubles(DaemonProcess balancer) {
    return balancer.status().getAsJsonArray("troubles").toString();
  }

  private static boolean isReady(DaemonProcess balancer) {
    return balancer.call("ready").get("ready").getAsBoolean();
  }

  /** With their handles, which are new after any change. */
  private static String rules(Lab lab) {
    String all = lab.exec("lb1", "nft", "-a", "list", "ruleset").succeeded().out();
    return all.replaceAll("packets \\d+ bytes \\d+", "");
  }

  /** It waits for the first one's end, and takes its place then. */
  @Test
  void aSecondLoadBalancerTakesTheVipOnlyWhenTheFirstIsGone() {
    Map<String, String> files =
        Map.of(
            "b1/backend.yaml",
            backend(1),
            "b2/backend.yaml",
            backend(2),
            "lb1/lb.yaml",
            WEB + LabConfigs.HASH_KEY,
            "lb2/lb.yaml",
            WEB + LabConfigs.HASH_KEY);
    try (Cluster cluster = new Cluster(files, NAMES);
        DaemonProcess second = DaemonProcess.loadBalancer("lb2")) {
      assertThat(troubles(second)).contains("another machine on eth0 has 10.77.0.50, with the MAC");
      assertThat(isReady(second)).isFalse();
      assertThat(addresses(cluster.lab(), "lb2")).doesNotContain("10.77.0.50");
      assertThat(isReady(cluster.balancer())).isTrue();
      assertThat(cluster.balancer().stop()).isZero();
      await("lb2 has the VIP").atMost(PATIENCE).until(() -> isReady(second));
      assertThat(cluster.request(20)).hasSize(2);
    }
  }

  /** Keepalived's, for example, which takes it away when it sees that this one is not ready. */
  @Test
  void aStopServesUntilAnotherProgramHasTakenTheVipAway() throws Exception {
    Map<String, String> files =
        Map.of("lb1/lb.yaml", WEB + LabConfigs.HASH_KEY + "attachVip: false\n");
    Lab lab = Lab.up();
    ip(lab, "address", "add", "10.77.0.50/32", "dev", "eth0");
    try (Cluster cluster = new Cluster(files, NAMES);
        Conversations conversations = new Conversations(lab, NAMES);
        Dialogue requests =
            new Dialogue(lab, "client", TcpPrograms.Requests.class, Lab.VIP, "80", "4")) {
      conversations.openUntil(20);
      conversations.awaitProgress();
      cluster.balancer().signal("TERM");
      await("it says that it waits")
          .atMost(PATIENCE)
          .until(() -> cluster.balancer().log().contains("serving until it is gone"));
      conversations.awaitProgress();
      assertThat(requests.ask("stop")).as("answers, then failed requests").hasSize(1);
      assertThat(cluster.balancer().isAlive()).isTrue();
      ip(lab, "address", "delete", "10.77.0.50/32", "dev", "eth0");
      assertThat(cluster.balancer().awaitEnd()).isZero();
      assertThat(conversations.broken()).isEmpty();
      assertThat(lab.exec("lb1", "nft", "list", "ruleset").succeeded().out())
          .doesNotContainIgnoringCase("caplance");
    } finally {
      lab.exec("lb1", "ip", "address", "delete", "10.77.0.50/32", "dev", "eth0");
    }
  }

  /** As at boot: the interface, and the address on which backends register. */
  @Test
  void whatTheMachineDoesNotHaveYetIsWaitedFor() {
    String late = "interface: late0\nsession: {address: 10.79.0.2}\n";
    Lab lab = Lab.up();
    try (Cluster cluster = new Cluster(Map.of("lb1/lb.yaml", WEB + LabConfigs.HASH_KEY + late))) {
      assertThat(troubles(cluster.balancer()))
          .contains("there is no network interface 'late0'")
          .contains("cannot listen on 10.79.0.2:1338");
      ip(lab, "link", "add", "late0", "type", "bridge");
      ip(lab, "link", "set", "late0", "up");
      ip(lab, "address", "add", "10.79.0.2/24", "dev", "late0");
      await("no trouble").atMost(PATIENCE).until(() -> troubles(cluster.balancer()).equals("[]"));
      assertThat(addresses(lab, "lb1")).contains("10.77.0.50/32 scope global late0");
    } finally {
      lab.exec("lb1", "ip", "link", "delete", "late0");
    }
  }

  /** Its packets would go to backends, and nobody could reach the machine any more. */
  @Test
  void theMachinesOwnAddressIsNoVip() {
    String own = "services: [{name: web, vip: 10.77.0.50}, {name: own, vip: 10.77.0.2}]\n";
    try (Cluster cluster = new Cluster(Map.of("lb1/lb.yaml", own + LabConfigs.HASH_KEY), NAMES)) {
      assertThat(troubles(cluster.balancer()))
          .contains("10.77.0.2 cannot be a VIP, because it is this machine's own address on eth0");
      assertThat(cluster.request(20)).hasSize(2);
      for (String signal : new String[] {"HUP", "USR1"}) {
        cluster.balancer().signal(signal);
        cluster.backend("b1").signal(signal);
        await(signal + " is logged")
            .atMost(PATIENCE)
            .until(
                () ->
                    cluster.balancer().log().contains("got SIG" + signal)
                        && cluster.backend("b1").log().contains("got SIG" + signal));
      }
      assertThat(cluster.request(20)).hasSize(2);
    }
  }

  @Test
  void aSecondDaemonWithDirectoriesOfItsOwnChangesNothing(@TempDir Path directory)
      throws Exception {
    Path file = directory.resolve("lb.yaml");
    Files.writeString(
        file,
        WEB
            + "session: {port: 1339}\nqueues: {first: 10}\nrunDirectory: "
            + directory.resolve("run")
            + "\nstateDirectory: "
            + directory.resolve("state")
            + "\n");
    try (Cluster cluster = new Cluster(NAMES)) {
      String before = rules(cluster.lab());
      String[] command = {Lab.script("caplance"), "lb", "--config", file.toString()};
      Lab.Result second = cluster.lab().exec("lb1", command);
      assertThat(second.exit()).isEqualTo(1);
      assertThat(second.out() + second.err()).contains("another 'caplance lb' is running");
      assertThat(rules(cluster.lab())).isEqualTo(before);
      assertThat(troubles(cluster.balancer())).isEqualTo("[]");
      assertThat(cluster.request(20)).hasSize(2);
    }
  }
}
