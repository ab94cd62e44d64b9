package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.dist.LabConfigs.OuterIp;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Applications that are taken down behind the load balancer's back, and with its help. */
class RestartIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String[] NAMES = {"b1", "b2", "b3"};
  private static final String CHECK =
      "checks: [{type: http, vip: 10.77.0.50, port: 80, path: /, expect: 200,"
          + " interval: 1s, timeout: 1s, rise: 2, fall: 3}]\n";

  private final Lab lab = Lab.up();

  @AfterEach
  void startWhatWasStopped() {
    lab.startNginx();
  }

  @Test
  void aRestartBehindADrainCostsNoRequest() {
    try (Cluster cluster = new Cluster(NAMES);
        Dialogue requests =
            new Dialogue(lab, "client", TcpPrograms.Requests.class, Lab.VIP, "80", "8")) {
      for (String name : NAMES) {
        awaitAnswers(requests, 200);
        cluster.ctl(name, "drain", "--wait").succeeded();
        lab.stopNginx(name);
        awaitAnswers(requests, 200);
        lab.startNginx();
        cluster.ctl(name, "resume").succeeded();
        cluster.awaitForwarding(3);
      }
      awaitAnswers(requests, 200);
      assertNoneHasFailed(requests);
      assertThat(cluster.request(100)).containsOnlyKeys(NAMES);
    }
  }

  /** The deadline is far away: it is the end of the last connection that ends the daemon. */
  @Test
  void aDaemonThatIsStoppedDrainsFirst() {
    Map<String, String> files = LabConfigs.all(OuterIp.IPV4);
    files.merge("b2/backend.yaml", "drainOnStop: 1h\n", String::concat);
    try (Cluster cluster = new Cluster(files, NAMES);
        Dialogue requests =
            new Dialogue(lab, "client", TcpPrograms.Requests.class, Lab.VIP, "80", "8");
        Conversations conversations = new Conversations(lab, NAMES)) {
      conversations.openWith("b2");
      awaitAnswers(requests, 200);
      DaemonProcess stopped = cluster.backend("b2");
      stopped.signal("TERM");
      await("the daemon waits for the connection")
          .atMost(PATIENCE)
          .until(() -> stopped.status().get("drain").toString().contains("1 connection left"));
      awaitAnswers(requests, 200);
      conversations.awaitProgress();
      assertThat(conversations.broken()).isEmpty();
      assertThat(stopped.isAlive()).isTrue();
      conversations.closeWith("b2");
      assertThat(stopped.awaitEnd()).isZero();
      awaitAnswers(requests, 200);
      assertNoneHasFailed(requests);
      assertThat(conversations.broken()).as("connections with the others").isEmpty();
      assertThat(cluster.request(100)).containsOnlyKeys("b1", "b3");
    }
  }

  private static void awaitAnswers(Dialogue requests, int more) {
    int before = answers(requests);
    await(more + " answers").atMost(PATIENCE).until(() -> answers(requests) >= before + more);
  }

  private static int answers(Dialogue requests) {
    return Integer.parseInt(requests.ask("").get(0));
  }

  /** Ends the load first: a request that is never answered has failed, too. */
  private static void assertNoneHasFailed(Dialogue requests) {
    assertThat(requests.ask("stop")).as("answers, then failed requests").hasSize(1);
  }

  @Test
  void aDeadApplicationGetsNoNewConnectionUntilItIsBack() {
    try (Cluster cluster = new Cluster(LabConfigs.all(OuterIp.IPV4, "", CHECK), NAMES)) {
      lab.stopNginx("b2");
      await("b2 unfit").atMost(PATIENCE).until(() -> health(cluster, "b2").equals("unfit"));
      long before = backend(cluster, "b2").get("packets").getAsLong();
      assertThat(cluster.request(300)).containsOnlyKeys("b1", "b3");
      assertThat(backend(cluster, "b2").get("packets").getAsLong()).isEqualTo(before);
      assertThat(cluster.backend("b2").isAlive()).isTrue();
      assertThat(cluster.ctl("b2", "health").out()).contains("503");
      lab.startNginx();
      await("b2 fit").atMost(PATIENCE).until(() -> health(cluster, "b2").equals("fit"));
      assertThat(cluster.request(300)).containsOnlyKeys(NAMES);
    }
  }

  private static JsonObject backend(Cluster cluster, String name) {
    List<JsonElement> backends = cluster.balancer().status().getAsJsonArray("backends").asList();
    return backends.stream()
        .map(JsonElement::getAsJsonObject)
        .filter(backend -> backend.get("name").getAsString().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static String health(Cluster cluster, String name) {
    return backend(cluster, name).getAsJsonObject("health").get("state").getAsString();
  }
}
