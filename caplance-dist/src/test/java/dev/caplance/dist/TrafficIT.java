package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Real traffic through one load balancer to three backends. */
class TrafficIT {

  private static final int REQUESTS = 300;
  private static final String[] NAMES = {"b1", "b2", "b3"};
  private static final Map<String, Integer> SAME_WEIGHTS = Map.of("b1", 1, "b2", 1, "b3", 1);

  private static Cluster cluster;

  @BeforeAll
  static void start() {
    cluster = new Cluster(NAMES);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void spreadsRequestsOverAllBackends() {
    Spread.assertAsPromised(cluster.request(REQUESTS), REQUESTS, SAME_WEIGHTS);
  }

  @Test
  void theApplicationSeesTheClientsAddress() {
    String[] ask = {"curl", "-sS", "--noproxy", "*", "http://" + Lab.VIP + "/client"};
    assertThat(cluster.lab().exec("client", ask).succeeded().out()).isEqualTo("10.77.0.10\n");
  }

  @Test
  void aPausedBackendGetsNothingUntilItResumes() {
    cluster.ctl("b2", "pause").succeeded();
    assertThat(cluster.request(100).keySet()).containsExactly("b1", "b3");
    cluster.ctl("b2", "resume").succeeded();
    assertThat(cluster.request(100).keySet()).containsExactly(NAMES);
  }

  @Test
  void aDeregisteredBackendIsGoneUntilItResumes() {
    cluster.ctl("b3", "deregister").succeeded();
    assertThat(cluster.balancer().status().getAsJsonArray("backends")).hasSize(2);
    assertThat(cluster.request(100).keySet()).containsExactly("b1", "b2");
    cluster.ctl("b3", "resume");
    cluster.awaitForwarding(3);
    assertThat(cluster.request(100).keySet()).containsExactly(NAMES);
  }

  @Test
  void commandsSayWhatHappened() {
    Lab.Result paused = cluster.ctl("b1", "pause").succeeded();
    Lab.Result again = cluster.ctl("b1", "pause").succeeded();
    Lab.Result resumed = cluster.ctl("b1", "resume").succeeded();
    assertThat(paused.out()).contains("b1").contains("paused").contains("10.77.0.2");
    assertThat(again.out()).contains("b1").contains("paused");
    assertThat(resumed.out()).contains("b1").contains("10.77.0.2");
    assertThat(cluster.ctl("client", "status").exit()).isEqualTo(69);
  }

  @Test
  void balancesUdp() throws IOException {
    List<Process> servers = new ArrayList<>();
    try {
      for (String name : NAMES) {
        servers.add(startEcho(name));
      }
      String[] ask = Lab.java(LabPrograms.Ask.class, Lab.VIP, "7777", "" + REQUESTS, "20");
      String answers = cluster.lab().exec("client", ask).succeeded().out();
      Spread.assertAsPromised(Cluster.count(answers), REQUESTS, SAME_WEIGHTS);
      String[] askLarge = Lab.java(LabPrograms.Ask.class, Lab.VIP, "7777", "20", "30000");
      assertThat(Cluster.count(cluster.lab().exec("client", askLarge).succeeded().out()))
          .as("answers to datagrams of 30,000 bytes")
          .doesNotContainKey("nobody");
    } finally {
      servers.forEach(Process::destroy);
    }
  }

  private static Process startEcho(String name) throws IOException {
    String[] echo = Lab.java(LabPrograms.Echo.class, name, Lab.VIP, "7777");
    Process server =
        new ProcessBuilder(Lab.on(name, echo))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertThat(server.inputReader().readLine()).isEqualTo("serving");
    return server;
  }

  @Test
  void carriesAnUploadUnchanged() {
    String upload =
        "f=$(mktemp) && head -c 20000000 /dev/urandom >$f && sha256sum <$f"
            + " && curl -sS --noproxy '*' --fail --max-time 100 -T $f http://"
            + Lab.VIP
            + "/files/upload; rm -f $f";
    String sent = cluster.lab().exec("client", "bash", "-c", upload).succeeded().out().strip();
    List<String> received = new ArrayList<>();
    for (String name : NAMES) {
      String file = "/run/caplance-lab/" + name + "/nginx/files/upload";
      String hash = "[ ! -e " + file + " ] || { sha256sum <" + file + "; rm " + file + "; }";
      cluster.lab().exec(name, "bash", "-c", hash).succeeded().out().lines().forEach(received::add);
    }
    assertThat(received).containsExactly(sent);
  }

  @Test
  void theLoadBalancerAnswersPing() {
    cluster.lab().exec("client", "ping", "-c", "1", "-W", "5", Lab.VIP).succeeded();
  }

  /**
   * What the threads took from the heap, after a warm-up and over a million packets more. The
   * smallest object has 16 bytes, so one for each packet would be 16 million; a few hundred are
   * what the virtual machine needs once, for a branch that was never taken before.
   */
  @Test
  void thePathOfAPacketAllocatesNothing() {
    // Far less than a byte for each packet: the path probes that arrive meanwhile take some.
    long little = 100_000;
    sendUntilReceived(200_000);
    long packets = cluster.worker("packets");
    long allocated = cluster.worker("allocatedBytes");
    long allocatedAtBackends = allocatedAtBackends();
    sendUntilReceived(1_000_000);
    assertThat(cluster.worker("packets") - packets).isGreaterThanOrEqualTo(1_000_000);
    assertThat(cluster.worker("allocatedBytes") - allocated).isLessThan(10_000);
    assertThat(allocatedAtBackends() - allocatedAtBackends).isLessThan(little);
  }

  /** Packets that gather while the load balancer is held up come in full batches. */
  @Test
  void oneVerdictSettlesABatch() {
    long packets = cluster.worker("packets");
    long batches = cluster.worker("batches");
    long verdicts = cluster.worker("verdicts");
    cluster.balancer().signal("STOP");
    String[] flood = Lab.java(LabPrograms.Flood.class, Lab.VIP, "9", "2560", "22");
    cluster.lab().exec("client", flood).succeeded();
    cluster.balancer().signal("CONT");
    await("packets").until(() -> cluster.worker("packets") >= packets + 2560);
    assertThat(cluster.worker("batches") - batches).isLessThan(100);
    assertThat(cluster.worker("verdicts") - verdicts)
        .isEqualTo(cluster.worker("batches") - batches);
  }

  private static long allocatedAtBackends() {
    long sum = 0;
    for (DaemonProcess backend : cluster.backends()) {
      sum += backend.status().getAsJsonObject("packets").get("allocatedBytes").getAsLong();
    }
    return sum;
  }

  private static void sendUntilReceived(int packets) {
    long target = cluster.worker("packets") + packets;
    while (cluster.worker("packets") < target) {
      String[] flood = Lab.java(LabPrograms.Flood.class, Lab.VIP, "9", "200000", "22");
      cluster.lab().exec("client", flood).succeeded();
    }
  }
}
