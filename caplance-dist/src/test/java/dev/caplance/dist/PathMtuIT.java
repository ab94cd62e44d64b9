package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.dist.LabConfigs.OuterIp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Links that are narrower than what the ends of a connection know of. */
class PathMtuIT {

  private static final String[] NAMES = {"b1", "b2", "b3"};

  /** So many that none of three backends goes without one: that happens once in three million. */
  private static final int CLIENTS = 40;

  private static final int FAR_MTU = 1400;
  private static final String TWO_QUEUES = "queues: {count: 2}\n";

  private final Lab lab = Lab.up();

  /**
   * The backends learn of the narrow link only from the ICMP error that its router sends to the
   * VIP. With two workers, the one that gets it need not be the one that has the connection.
   */
  @ParameterizedTest
  @CsvSource({"10.77.0.50, 10.78.0., 24", "fd77::50, fd78::, 64"})
  void aDownloadThroughANarrowLinkCompletes(String vip, String network, int prefix)
      throws Exception {
    Map<String, String> backends = serveDifferentFiles();
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV4, TWO_QUEUES, ""), NAMES)) {
      List<String> clients = addClients(network, prefix);
      try (Dialogue fetch = fetch(vip, clients)) {
        List<String> answers = fetch.ask("");
        assertThat(answers).hasSize(CLIENTS);
        for (int i = 0; i < CLIENTS; i++) {
          assertThat(backends).containsKey(answers.get(i));
          String served = backends.get(answers.get(i));
          assertThat(pathMtu(served, clients.get(i), vip)).isEqualTo(FAR_MTU);
        }
        assertThat(answers).as("answers of several backends").containsAll(backends.keySet());
        assertThat(packetsOfWorkers(cluster)).doesNotContain(0L);
      } finally {
        removeClients(clients, prefix);
      }
    }
  }

  @Test
  void anInterfaceThatChangesItsMtuIsNoticed() {
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV4), "b1")) {
      String before = cluster.backend("b1").log();
      lab.dataPathMtu(FAR_MTU);
      await("a word about the MTU")
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  cluster
                      .backend("b1")
                      .log()
                      .substring(before.length())
                      .contains("is now 1400, but the load balancers were told 1500: restart"));
    } finally {
      lab.dataPathMtu(1500);
    }
  }

  /** The table would send the connections elsewhere by now; they and their errors stay. */
  @ParameterizedTest
  @CsvSource({"10.77.0.50, 10.78.0., 24", "fd77::50, fd78::, 64"})
  void theErrorFollowsAConnectionThatStayed(String vip, String network, int prefix)
      throws Exception {
    Map<String, String> backends = serveDifferentFiles();
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV4, TWO_QUEUES, ""), "b1")) {
      List<String> clients = addClients(network, prefix);
      try (Dialogue fetch = fetch(vip, clients)) {
        cluster.startBackend("b2");
        cluster.startBackend("b3");
        cluster.awaitForwarding(3);
        List<String> answers = fetch.ask("");
        assertThat(answers.stream().map(answer -> backends.getOrDefault(answer, answer)))
            .hasSize(CLIENTS)
            .containsOnly("b1");
      } finally {
        removeClients(clients, prefix);
      }
    }
  }

  /** A file of its own for each backend, so that a hash tells who served it. */
  private static Map<String, String> serveDifferentFiles()
      throws IOException, NoSuchAlgorithmException {
    Map<String, String> byHash = new LinkedHashMap<>();
    for (String name : NAMES) {
      byte[] content = (name + "\n").repeat(500_000).getBytes(US_ASCII);
      Path file = Lab.directory(name, "nginx").resolve("files/own");
      Files.write(file, content);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(content);
      byHash.put(HexFormat.of().formatHex(hash), name);
    }
    return byHash;
  }

  /** Each client address is new to the backends, which keep what they learn for ten minutes. */
  private static int nextClient = 20;

  private List<String> addClients(String network, int prefix) {
    List<String> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(network + nextClient++);
    }
    changeAddresses("add", clients, prefix);
    return clients;
  }

  private void removeClients(List<String> clients, int prefix) {
    changeAddresses("delete", clients, prefix);
  }

  private void changeAddresses(String change, List<String> clients, int prefix) {
    String script =
        clients.stream()
            .map(client -> "address " + change + " " + client + "/" + prefix + " dev eth0 nodad\n")
            .collect(joining());
    lab.exec("far", "bash", "-c", "ip -batch - <<<'" + script + "'").succeeded();
  }

  private Dialogue fetch(String vip, List<String> clients) {
    List<String> arguments = new ArrayList<>(List.of(vip, "/files/own"));
    arguments.addAll(clients);
    return new Dialogue(lab, "far", TcpPrograms.Fetch.class, arguments.toArray(String[]::new));
  }

  /** What a host believes to be the largest packet on the way to an address. */
  private int pathMtu(String host, String to, String from) {
    String[] ip = {"ip", "route", "get", to, "from", from};
    List<String> words = Arrays.asList(lab.exec(host, ip).succeeded().out().split("\\s+"));
    int mtu = words.indexOf("mtu");
    return mtu < 0 ? 1500 : Integer.parseInt(words.get(mtu + 1));
  }

  private static List<Long> packetsOfWorkers(Cluster cluster) {
    return cluster.balancer().status().getAsJsonArray("workers").asList().stream()
        .map(worker -> worker.getAsJsonObject().get("packets").getAsLong())
        .toList();
  }

  /**
   * Segments that fill the client's link do not fit behind the load balancer, so the client is told
   * what does. The encapsulation takes 28 bytes or 48. The client sends segments one by one: those
   * that its kernel joins are cut by the load balancer, which has then nothing to tell.
   */
  @ParameterizedTest
  @CsvSource({
    "10.77.0.50, IPV4, 1472",
    "fd77::50, IPV4, 1472",
    "10.77.0.50, IPV6, 1452",
    "fd77::50, IPV6, 1452"
  })
  void theSenderIsToldWhatFits(String vip, OuterIp outerIp, int mtu) throws IOException {
    forgetPathMtus();
    joinSegments("client", "off");
    String host = vip.contains(":") ? "[" + vip + "]" : vip;
    String upload =
        "head -c 2000000 /dev/zero | curl -sS -g --noproxy '*' --fail --max-time 60 -T - http://"
            + host
            + "/files/told";
    try (Cluster cluster = new Cluster(LabConfigs.all(outerIp, "", "clampMss: false\n"), "b1")) {
      long fragments = lab.counters("lb1", "IpFragCreates", "Ip6FragCreates");
      cluster.lab().exec("client", "bash", "-c", upload).succeeded();
      assertThat(Lab.directory("b1", "nginx").resolve("files/told")).hasSize(2_000_000);
      assertThat(lab.counters("lb1", "IpFragCreates", "Ip6FragCreates")).isEqualTo(fragments);
      String source = vip.contains(":") ? "fd77::10" : "10.77.0.10";
      assertThat(pathMtu("client", vip, source)).isEqualTo(mtu);
    } finally {
      joinSegments("client", "on");
      Files.deleteIfExists(Lab.directory("b1", "nginx").resolve("files/told"));
    }
  }

  private void joinSegments(String host, String state) {
    lab.exec(host, "ethtool", "-K", "eth0", "tso", state, "gso", state).succeeded();
  }

  private void forgetPathMtus() {
    lab.exec("client", "ip", "route", "flush", "cache").succeeded();
    lab.exec("client", "ip", "-6", "route", "flush", "cache").succeeded();
  }

  /** With DF or without, whole or in pieces: what a client may send arrives. */
  @ParameterizedTest
  @CsvSource({"10.77.0.50, IPV4, 1472", "fd77::50, IPV4, 1452", "10.77.0.50, IPV6, 1472"})
  void datagramsThatFillTheClientsLinkArrive(String vip, OuterIp outerIp, int payload) {
    forgetPathMtus();
    try (Cluster cluster = new Cluster(LabConfigs.all(outerIp), "b1")) {
      Process server = cluster.lab().start("b1", LabPrograms.Echo.class, "b1", vip, "7777");
      try {
        String[] ask = Lab.java(LabPrograms.Ask.class, vip, "7777", "10", "" + payload);
        assertThat(lab.exec("client", ask).succeeded().out()).isEqualTo("b1\n".repeat(10));
      } finally {
        server.destroy();
      }
    }
  }

  /**
   * The kernel of the load balancer would cut outer packets to the MTU of its own route, 9000: they
   * do not pass the backend's link, or are more than its file allows.
   */
  @ParameterizedTest
  @CsvSource({"10.77.0.50, IPV4, ''", "fd77::50, IPV6, ''", "fd77::50, IPV4, 'mtu: 1400'"})
  void datagramsLargerThanTheBackendsPathArrive(String vip, OuterIp outerIp, String backend) {
    lab.dataPathMtu(9000);
    lab.exec("b1", "ip", "link", "set", "eth0", "mtu", "1500").succeeded();
    forgetPathMtus();
    try (Cluster cluster = new Cluster(LabConfigs.all(outerIp, "", backend + "\n"), "b1")) {
      Process server = lab.start("b1", LabPrograms.Echo.class, "b1", vip, "7777");
      try {
        for (int payload : new int[] {1450, 1480, 5000, 8990, 30_000}) {
          long lost = lab.counters("b1", "IpReasmFails", "Ip6ReasmFails");
          String[] ask = Lab.java(LabPrograms.Ask.class, vip, "7777", "3", "" + payload);
          assertThat(lab.exec("client", ask).succeeded().out()).isEqualTo("b1\n".repeat(3));
          assertThat(lab.counters("b1", "IpReasmFails", "Ip6ReasmFails")).isEqualTo(lost);
        }
        assertThat(cluster.dropped("send failed")).isZero();
      } finally {
        server.destroy();
      }
    } finally {
      lab.dataPathMtu(1500);
    }
  }

  /** Between links that hold 9000 bytes there is room for the encapsulation. */
  @Test
  void nobodyIsToldAnythingWhenItFits() {
    lab.dataPathMtu(9000);
    forgetPathMtus();
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV6), "b1")) {
      Process server = cluster.lab().start("b1", LabPrograms.Echo.class, "b1", Lab.VIP, "7777");
      try {
        String[] ask = Lab.java(LabPrograms.Ask.class, Lab.VIP, "7777", "10", "1460");
        assertThat(lab.exec("client", ask).succeeded().out()).isEqualTo("b1\n".repeat(10));
        assertThat(pathMtu("client", Lab.VIP, "10.77.0.10")).isEqualTo(1500);
      } finally {
        server.destroy();
      }
    } finally {
      lab.dataPathMtu(1500);
    }
  }
}
