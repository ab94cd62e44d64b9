package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A load balancer on {@code lb1} and backends, as real processes in the lab. */
final class Cluster implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Lab lab = Lab.up();
  private final Map<String, DaemonProcess> backends = new LinkedHashMap<>();
  private final Map<Path, String> originalFiles = new LinkedHashMap<>();
  private String launcher;
  private DaemonProcess balancer;

  /** Starts a load balancer and these backends, and waits until all of them get packets. */
  Cluster(String... names) {
    this(Map.of(), names);
  }

  /**
   * The same with configuration files other than the lab's.
   *
   * @param files contents by host and name, {@code lb1/lb.yaml}
   */
  Cluster(Map<String, String> files, String... names) {
    this(Lab.script("caplance"), files, names);
  }

  /** The same with daemons of another build, by its {@code scripts/caplance}. */
  Cluster(String launcher, Map<String, String> files, String... names) {
    this.launcher = launcher;
    files.forEach(this::configure);
    startBalancer();
    for (String name : names) {
      startBackend(name);
    }
    awaitForwarding(names.length);
  }

  private void configure(String file, String content) {
    String[] hostAndName = file.split("/");
    Path path = Lab.directory(hostAndName[0], "etc").resolve(hostAndName[1]);
    try {
      originalFiles.put(path, Files.readString(path, UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    write(path, content);
  }

  private static void write(Path path, String content) {
    try {
      Files.writeString(path, content, UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From now on daemons are started with this {@code scripts/caplance}. */
  void upgrade(String launcher) {
    this.launcher = launcher;
  }

  DaemonProcess startBalancer() {
    balancer = DaemonProcess.loadBalancer(launcher, "lb1");
    return balancer;
  }

  DaemonProcess startBackend(String name) {
    DaemonProcess backend = DaemonProcess.backend(launcher, name);
    backends.put(name, backend);
    return backend;
  }

  Lab lab() {
    return lab;
  }

  DaemonProcess balancer() {
    return balancer;
  }

  DaemonProcess backend(String name) {
    return backends.get(name);
  }

  Iterable<DaemonProcess> backends() {
    return backends.values();
  }

  /** Waits until so many backends are in the table. */
  void awaitForwarding(int count) {
    await(count + " backends in the table").atMost(PATIENCE).until(() -> forwarding() == count);
  }

  /** Backends in the table of the first service. */
  int forwarding() {
    JsonElement service = balancer.status().getAsJsonArray("services").get(0);
    return service.getAsJsonObject().get("backends").getAsInt();
  }

  /** A counter of the load balancer's first worker. */
  long worker(String counter) {
    JsonElement worker = balancer.status().getAsJsonArray("workers").get(0);
    return worker.getAsJsonObject().get(counter).getAsLong();
  }

  /** Packets that the load balancer dropped for this reason. */
  long dropped(String reason) {
    return count(balancer.status().getAsJsonObject("packets").getAsJsonObject("dropped"), reason);
  }

  /** Packets that a backend refused for this reason. */
  long refused(String name, String reason) {
    JsonObject packets = backend(name).status().getAsJsonObject("packets");
    return count(packets.getAsJsonObject("refused"), reason);
  }

  private static long count(JsonObject counts, String reason) {
    return counts.has(reason) ? counts.get(reason).getAsLong() : 0;
  }

  /** Runs {@code caplancectl} with a command and its options on a host. */
  Lab.Result ctl(String host, String... command) {
    List<String> line = new ArrayList<>(List.of(Lab.script("caplancectl")));
    line.addAll(List.of(command));
    return lab.exec(host, line.toArray(String[]::new));
  }

  /** Sends requests to the VIP, each on a connection of its own, and counts who answers. */
  Map<String, Integer> request(int count) {
    return request(Lab.VIP, count);
  }

  /** The same with another VIP. */
  Map<String, Integer> request(String vip, int count) {
    Lab.Result result =
        lab.exec(
            "client",
            "curl",
            "-sS",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "-H",
            "Connection: close",
            "http://" + vip + "/[1-" + count + "]");
    return count(result.succeeded().out());
  }

  /** How often each line occurs. */
  static Map<String, Integer> count(String lines) {
    Map<String, Integer> counts = new TreeMap<>();
    lines.lines().forEach(line -> counts.merge(line, 1, Integer::sum));
    return counts;
  }

  @Override
  public void close() {
    backends.values().forEach(DaemonProcess::close);
    backends.keySet().forEach(Cluster::forgetIntent);
    if (balancer != null) {
      balancer.close();
    }
    originalFiles.forEach(Cluster::write);
  }

  /** What an operator said outlives the daemon, but must not outlive the test. */
  private static void forgetIntent(String host) {
    try {
      Files.deleteIfExists(Lab.directory(host, "lib").resolve("backend.intent"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
