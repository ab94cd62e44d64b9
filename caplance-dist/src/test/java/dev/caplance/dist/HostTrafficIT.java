package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.dist.LabConfigs.OuterIp;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes for a VIP and belongs to the machine that holds it. */
class HostTrafficIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP, Lab.VIP6})
  void neighboursFindTheLoadBalancerAndItAnswersEcho(String vip) {
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV4))) {
      cluster.lab().exec("client", "ip", "neigh", "flush", "dev", "eth0").succeeded();
      cluster.lab().exec("client", "ping", "-c", "3", "-W", "5", vip).succeeded();
      assertThat(neighbour(cluster.lab(), vip)).isEqualTo(mac(cluster.lab(), "lb1"));
    }
  }

  /** Nobody asks: the new holder says it to all. */
  @ParameterizedTest
  @ValueSource(strings = {Lab.VIP, Lab.VIP6})
  void neighboursHearOfANewLoadBalancer(String vip) {
    Map<String, String> files = new HashMap<>(LabConfigs.all(OuterIp.IPV4));
    files.put("lb2/lb.yaml", files.get("lb1/lb.yaml"));
    try (Cluster cluster = new Cluster(files)) {
      cluster.lab().exec("client", "ping", "-c", "1", "-W", "5", vip).succeeded();
      assertThat(neighbour(cluster.lab(), vip)).isEqualTo(mac(cluster.lab(), "lb1"));
      cluster.balancer().stop();
      try (DaemonProcess second = DaemonProcess.loadBalancer("lb2")) {
        String expected = mac(cluster.lab(), "lb2");
        await("announcement")
            .atMost(PATIENCE)
            .until(() -> neighbour(cluster.lab(), vip).equals(expected));
        assertThat(second.isAlive()).isTrue();
      }
    }
  }

  private static String neighbour(Lab lab, String address) {
    String[] show = {"ip", "neigh", "show", address, "dev", "eth0"};
    return lab.exec("client", show).succeeded().out().replaceAll("(?s).*lladdr (\\S+).*", "$1");
  }

  private static String mac(Lab lab, String host) {
    String[] show = {"cat", "/sys/class/net/eth0/address"};
    return lab.exec(host, show).succeeded().out().strip();
  }

  /**
   * A service for one port leaves the others to the machine, as if no load balancer stood there.
   */
  @Test
  void otherPortsAreTheHostsOwn() {
    String yaml = "services: [{vip: 10.77.0.50, ports: [tcp/80]}]\n" + LabConfigs.HASH_KEY;
    try (Cluster cluster = new Cluster(Map.of("lb1/lb.yaml", yaml), "b1", "b2")) {
      Dialogue ssh = new Dialogue(cluster.lab(), "lb1", TcpPrograms.Echo.class, "lb1", "2222");
      try {
        String connect = "exec 3<>/dev/tcp/10.77.0.50/2222; timeout 20 head -c 5 <&3 | tail -c 3";
        assertThat(cluster.lab().exec("client", "bash", "-c", connect).succeeded().out())
            .isEqualTo("lb1");
        assertThat(cluster.request(50)).containsOnlyKeys("b1", "b2");
      } finally {
        ssh.close();
      }
    }
  }

  @Test
  void droppedOtherTrafficIsCounted() {
    String yaml =
        "services: [{vip: 10.77.0.50, ports: [tcp/80], otherTraffic: drop}]\n"
            + LabConfigs.HASH_KEY;
    try (Cluster cluster = new Cluster(Map.of("lb1/lb.yaml", yaml), "b1")) {
      String send = "for i in 1 2 3; do echo $i >/dev/udp/10.77.0.50/53; done";
      cluster.lab().exec("client", "bash", "-c", send).succeeded();
      await("three drops")
          .atMost(PATIENCE)
          .until(
              () ->
                  cluster
                      .balancer()
                      .status()
                      .getAsJsonArray("otherTraffic")
                      .toString()
                      .equals("[{\"vip\":\"10.77.0.50\",\"dropped\":3}]"));
    }
  }
}
