package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Several queues, several load balancers, several services. */
class TopologyIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String HASH_KEY = "hashKey: 6361706c616e636520697320612d6c62\n";

  /** The kernel chooses the queue by the addresses, so clients must have several. */
  @Test
  void everyQueueHasAWorkerOfItsOwn() {
    String yaml = "services: [{vip: 10.77.0.50}]\nqueues: {first: 4, count: 2}\n" + HASH_KEY;
    try (Cluster cluster = new Cluster(Map.of("lb1/lb.yaml", yaml), "b1", "b2")) {
      String requests =
          "for i in {100..131}; do ip address add 10.77.0.$i/24 dev eth0;"
              + " curl -sS --noproxy '*' --max-time 20 --interface 10.77.0.$i http://10.77.0.50/;"
              + " ip address delete 10.77.0.$i/24 dev eth0; done";
      String answers = cluster.lab().exec("client", "bash", "-c", requests).succeeded().out();
      assertThat(Cluster.count(answers)).containsOnlyKeys("b1", "b2");
      assertThat(answers.lines()).hasSize(32);
      JsonArray workers = cluster.balancer().status().getAsJsonArray("workers");
      assertThat(workers).hasSize(2);
      for (JsonElement worker : workers) {
        assertThat(worker.getAsJsonObject().get("packets").getAsLong()).isPositive();
      }
      assertThat(workers.get(1).getAsJsonObject().get("queue").getAsInt()).isEqualTo(5);
    }
  }

  /** Both choose the same backend for the same flow: requests from the same ports, through each. */
  @Test
  void twoLoadBalancersWithOneKeyAgree() {
    String peers = "loadBalancers: [{address: 10.77.0.2}, {address: 10.77.0.3}]\n";
    String second = "services: [{vip: 10.77.0.50}]\nattachVip: false\n" + HASH_KEY;
    Map<String, String> files =
        Map.of(
            "b1/backend.yaml", backend("b1", 11) + peers,
            "b2/backend.yaml", backend("b2", 12) + peers,
            "lb2/lb.yaml", second);
    try (Cluster cluster = new Cluster(files, "b1", "b2");
        DaemonProcess other = DaemonProcess.loadBalancer("lb2")) {
      await("both backends at lb2")
          .atMost(PATIENCE)
          .until(() -> other.status().getAsJsonArray("backends").size() == 2);
      Map<Integer, String> throughFirst = answersByPort(cluster, "10.77.0.2");
      Map<Integer, String> throughSecond = answersByPort(cluster, "10.77.0.3");
      assertThat(throughSecond).isEqualTo(throughFirst);
      assertThat(throughFirst.values()).contains("b1", "b2");
      long forwarded = other.status().getAsJsonObject("packets").get("forwarded").getAsLong();
      assertThat(forwarded).isGreaterThanOrEqualTo(40);
    }
  }

  private static String backend(String name, int number) {
    return "name: " + name + "\naddress: 10.77.0." + number + "\nvips: [10.77.0.50]\n";
  }

  /** Without TIME-WAIT, so that the client can use its ports again. */
  private static Map<Integer, String> answersByPort(Cluster cluster, String via) {
    String route =
        "sysctl -qw net.ipv4.tcp_max_tw_buckets=0; ip route replace 10.77.0.50/32 via " + via;
    String requests =
        route
            + " && for p in {42000..42039}; do echo $p $(curl -sS --noproxy '*' --max-time 20"
            + " --local-port $p http://10.77.0.50/); done;"
            + " ip route delete 10.77.0.50/32";
    Map<Integer, String> answers = new TreeMap<>();
    cluster
        .lab()
        .exec("client", "bash", "-c", requests)
        .succeeded()
        .out()
        .lines()
        .map(line -> line.split(" "))
        .forEach(words -> answers.put(Integer.valueOf(words[0]), words[1]));
    assertThat(answers).hasSize(40);
    return answers;
  }

  /** A backend serves the VIPs that its configuration names; here both of them. */
  @Test
  void severalServicesShareTheBackends() {
    String services =
        "services: [{name: web, vip: 10.77.0.50}, {name: shop, vip: 10.77.0.51}]\n" + HASH_KEY;
    String vips = "name: b1\naddress: 10.77.0.11\nvips: [10.77.0.50, 10.77.0.51]\n";
    String peer = "loadBalancers: [{address: 10.77.0.2}]\n";
    Map<String, String> files = Map.of("lb1/lb.yaml", services, "b1/backend.yaml", vips + peer);
    try (Cluster cluster = new Cluster(files, "b1")) {
      for (String vip : new String[] {"10.77.0.50", "10.77.0.51"}) {
        String[] curl = {"curl", "-sS", "--noproxy", "*", "--max-time", "20", "http://" + vip};
        assertThat(cluster.lab().exec("client", curl).succeeded().out()).isEqualTo("b1\n");
      }
    }
  }

  /** Both backends have both VIPs, so it is the names alone that tell the services apart. */
  @Test
  void aServiceGoesOnlyToTheBackendsThatNameIt() {
    String services =
        "services: [{name: web, vip: 10.77.0.50}, {name: shop, vip: 10.77.0.51}]\n" + HASH_KEY;
    String vips = "vips: [10.77.0.50, 10.77.0.51]\nloadBalancers: [{address: 10.77.0.2}]\n";
    Map<String, String> files =
        Map.of(
            "lb1/lb.yaml", services,
            "b1/backend.yaml", "name: b1\naddress: 10.77.0.11\nservices: [web]\n" + vips,
            "b2/backend.yaml", "name: b2\naddress: 10.77.0.12\nservices: [shop]\n" + vips);
    try (Cluster cluster = new Cluster(files, "b1")) {
      cluster.startBackend("b2");
      assertThat(cluster.request("10.77.0.51", 50)).isEqualTo(Map.of("b2", 50));
      assertThat(cluster.request(50)).isEqualTo(Map.of("b1", 50));
    }
  }

  @Test
  void aBackendOfThriceTheWeightGetsThriceTheConnections() {
    String peer = "loadBalancers: [{address: 10.77.0.2}]\n";
    Map<String, String> files = Map.of("b1/backend.yaml", backend("b1", 11) + "weight: 3\n" + peer);
    try (Cluster cluster = new Cluster(files, "b1", "b2")) {
      Spread.assertAsPromised(cluster.request(400), 400, Map.of("b1", 3, "b2", 1));
    }
  }
}
