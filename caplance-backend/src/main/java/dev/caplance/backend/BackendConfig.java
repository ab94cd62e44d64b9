package dev.caplance.backend;

import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.config.ConfigException;
import dev.caplance.config.ConfigFile;
import dev.caplance.config.ConfigSection;
import dev.caplance.config.DurationFormat;
import dev.caplance.config.LoggingConfig;
import dev.caplance.config.ValueParser;
import dev.caplance.config.Values;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The backend's configuration file.
 *
 * @param name that the load balancers know this backend by
 * @param address that encapsulated packets are sent to, not a VIP
 * @param vips at least one, distinct
 * @param loadBalancers at least one, distinct
 * @param dataPort the UDP port for encapsulated packets
 * @param healthInterval between two HEALTH lines
 * @param attachVip whether the daemon adds the VIPs to {@code lo}
 * @param setSysctls whether the daemon keeps the machine from answering ARP for the VIPs
 * @param services the names of those this backend serves; empty for all
 * @param weight its share of the new flows in proportion to others, 1 to 256
 * @param checks of the application; without any it counts as healthy
 * @param drainOnStop how long existing connections may go on when the daemon is told to stop; zero
 *     to stop at once
 * @param mtu the largest packet that reaches this machine from the load balancers, in bytes; empty
 *     for the MTU of the interface that has the data address
 * @param clampMss whether the daemon keeps clients from sending TCP segments that are too large
 *     once they are encapsulated
 * @param joinSegments whether consecutive TCP segments are delivered as one packet
 * @param reconnect how long to wait before a lost session is tried again
 * @param runDirectory for the control socket and the journal of changes
 * @param stateDirectory for files that must survive a reboot
 * @param logging what is logged, and where
 */
public record BackendConfig(
    String name,
    InetAddress address,
    List<InetAddress> vips,
    List<LoadBalancerAddress> loadBalancers,
    int dataPort,
    Duration healthInterval,
    boolean attachVip,
    boolean setSysctls,
    List<String> services,
    int weight,
    List<HealthChecks.Settings> checks,
    Duration drainOnStop,
    Optional<Integer> mtu,
    boolean clampMss,
    boolean joinSegments,
    Reconnect reconnect,
    Path runDirectory,
    Path stateDirectory,
    LoggingConfig logging) {

  /** The pause before reconnecting grows from {@code initial} to {@code max}. */
  public record Reconnect(Duration initial, Duration max) {}

  /** TimeoutStopSec of the systemd unit is a little longer. */
  private static final Duration MAX_DRAIN_ON_STOP = Duration.ofHours(1);

  /** So that REGISTER, which lists them, fits a line of the session protocol. */
  private static final int MAX_SERVICES_LENGTH = 300;

  /** Of reconnect: a load balancer that was away has its backends back soon. */
  private static final Duration USUAL_MAX = Duration.ofSeconds(2);

  private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");
  private static final Pattern PROTOCOL = Pattern.compile("2|2019");

  /**
   * Reads a file.
   *
   * @throws ConfigException with every mistake in it
   */
  public static BackendConfig load(Path file) throws ConfigException {
    return load(file, BackendConfig::hostName);
  }

  static BackendConfig load(Path file, Supplier<String> hostName) throws ConfigException {
    return ConfigFile.load(file, root -> read(root, hostName));
  }

  private static BackendConfig read(ConfigSection root, Supplier<String> hostName) {
    String name =
        root.find("name", Values.name()).orElseGet(() -> nameOfHost(root, hostName.get()));
    InetAddress address = root.require("address", Values.reachableAddress(), "10.0.0.11");
    List<InetAddress> vips = readVips(root);
    if (address != null && vips.contains(address)) {
      root.reject(
          "address",
          IpAddresses.format(address)
              + " is one of the vips, which many machines share; use one that only this machine"
              + " has");
    }
    return new BackendConfig(
        name,
        address,
        vips,
        readLoadBalancers(root, address, vips),
        root.get("dataPort", Values.port(), 1337),
        root.get(
            "healthInterval",
            Values.duration(Duration.ofMillis(100), Duration.ofMinutes(10)),
            Duration.ofSeconds(5)),
        root.get("attachVip", Values.bool(), true),
        root.get("setSysctls", Values.bool(), true),
        readServices(root),
        root.get("weight", Values.integer(1, 256), 1),
        new HealthCheckReader(address, vips).readAll(root),
        root.get("drainOnStop", Values.duration(Duration.ZERO, MAX_DRAIN_ON_STOP), Duration.ZERO),
        root.find("mtu", Values.integer(576, 65535)),
        root.get("clampMss", Values.bool(), true),
        root.get("joinSegments", Values.bool(), true),
        root.section("reconnect", BackendConfig::readReconnect),
        root.get("runDirectory", Values.runDirectory(), Path.of("/run/caplance")),
        root.get("stateDirectory", Values.absolutePath(), Path.of("/var/lib/caplance")),
        root.section(
            "logging",
            section -> LoggingConfig.read(section, Path.of("/var/log/caplance/backend.log"))));
  }

  private static List<InetAddress> readVips(ConfigSection root) {
    return root.requireValues(
        "vips", distinct(Values.reachableAddress(), IpAddresses::format), "10.0.0.50");
  }

  private static <T> ValueParser<T> distinct(ValueParser<T> parser, Function<T, String> format) {
    Set<T> seen = new HashSet<>();
    return parser.unless(value -> !seen.add(value), value -> listedTwice(format.apply(value)));
  }

  private static String listedTwice(String value) {
    return value + " is listed twice; keep only one";
  }

  private static List<String> readServices(ConfigSection root) {
    if (root.hasSections("services")) {
      root.reject(
          "services",
          "a backend lists names here; the file looks like that of 'caplance lb', and 'caplance"
              + " backend' reads /etc/caplance/backend.yaml unless --config names another");
      return List.of();
    }
    List<String> services =
        root.values("services", distinct(Values.name(), Function.identity()), "web");
    int length = String.join(",", services).length();
    if (length > MAX_SERVICES_LENGTH) {
      root.reject(
          "services",
          "the names take "
              + length
              + " characters in all, more than the "
              + MAX_SERVICES_LENGTH
              + " that fit REGISTER; give the services shorter names, or leave this out to serve"
              + " all");
    }
    return services;
  }

  private static List<LoadBalancerAddress> readLoadBalancers(
      ConfigSection root, InetAddress address, List<InetAddress> vips) {
    Set<InetSocketAddress> seen = new HashSet<>();
    return root
        .requireSections(
            "loadBalancers",
            section -> readLoadBalancer(section, address, vips, seen),
            "{address: 10.0.0.2}")
        .stream()
        .flatMap(Optional::stream)
        .toList();
  }

  /** Empty if a mistake was found that leaves no usable address. */
  private static Optional<LoadBalancerAddress> readLoadBalancer(
      ConfigSection section,
      InetAddress address,
      List<InetAddress> vips,
      Set<InetSocketAddress> seen) {
    InetAddress peer =
        section.require(
            "address",
            Values.unicastAddress()
                .unless(
                    vips::contains,
                    a ->
                        IpAddresses.format(a)
                            + " is one of the vips, which this machine has itself; use the load"
                            + " balancer's own address"),
            "10.0.0.2");
    int port = section.get("port", Values.port(), 1338);
    boolean legacy =
        section.get("protocol", Values.matching(PROTOCOL, "2 or 2019"), "2").equals("2019");
    if (peer != null) {
      check(section, new InetSocketAddress(peer, port), address, seen);
    }
    boolean fits = !legacy || checkLegacy(section, peer, address, vips);
    boolean pauses = section.get("pauseWhenUnhealthy", Values.bool(), true);
    return peer != null && fits
        ? Optional.of(new LoadBalancerAddress(peer, port, legacy, pauses))
        : Optional.empty();
  }

  private static void check(
      ConfigSection section,
      InetSocketAddress socket,
      InetAddress address,
      Set<InetSocketAddress> seen) {
    if (!seen.add(socket)) {
      section.reject("address", listedTwice(IpAddresses.format(socket)));
    }
    if (socket.getAddress().equals(address)) {
      section.reject(
          "address",
          IpAddresses.format(address)
              + " is this backend's own address; run the load balancer on another machine");
    }
  }

  /** Whether the 2019 protocol can be spoken with this peer, null if it is not known. */
  private static boolean checkLegacy(
      ConfigSection section, InetAddress peer, InetAddress address, List<InetAddress> vips) {
    if (peer != null && peer.isLoopbackAddress()) {
      section.reject(
          "address",
          IpAddresses.format(peer)
              + " is a loopback address; packets of a 2019 load balancer come from the address of"
              + " its session");
    }
    String objection = null;
    if (peer != null && !IpAddresses.isIpv4(peer)) {
      objection = "2019 works over IPv4 only; use 2, or an IPv4 address";
    } else if (address != null && !IpAddresses.isIpv4(address)) {
      objection =
          "2019 works over IPv4 only, and this backend's address is "
              + IpAddresses.format(address)
              + "; use 2, or give the backend an IPv4 address";
    } else if (!vips.isEmpty() && vips.stream().noneMatch(IpAddresses::isIpv4)) {
      objection = "2019 balances IPv4 only; use 2, or serve an IPv4 VIP";
    }
    if (objection != null) {
      section.reject("protocol", objection);
    }
    return objection == null;
  }

  private static Reconnect readReconnect(ConfigSection section) {
    Duration shortest = Duration.ofMillis(10);
    Duration longest = Duration.ofHours(1);
    Duration initial =
        section.get("initial", Values.duration(shortest, longest), Duration.ofSeconds(1));
    Duration usualMax = initial.compareTo(USUAL_MAX) > 0 ? initial : USUAL_MAX;
    Reconnect reconnect =
        new Reconnect(initial, section.get("max", Values.duration(shortest, longest), usualMax));
    if (reconnect.initial().compareTo(reconnect.max()) > 0) {
      section.reject(
          "initial",
          DurationFormat.format(reconnect.initial())
              + " is longer than max, "
              + DurationFormat.format(reconnect.max())
              + "; make it shorter");
    }
    return reconnect;
  }

  private static String nameOfHost(ConfigSection root, String hostName) {
    String shortName = hostName.strip().split("\\.", 2)[0];
    try {
      return Values.name().parse(shortName);
    } catch (IllegalArgumentException e) {
      root.reject("name", "the host name cannot be taken: " + e.getMessage() + "; set name");
      return shortName;
    }
  }

  private static String hostName() {
    try {
      return Files.readString(HOST_NAME);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
