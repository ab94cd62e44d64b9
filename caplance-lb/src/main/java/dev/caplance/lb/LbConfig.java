package dev.caplance.lb;

import dev.caplance.config.ConfigException;
import dev.caplance.config.ConfigFile;
import dev.caplance.config.ConfigSection;
import dev.caplance.config.LoggingConfig;
import dev.caplance.config.Values;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The load balancer's configuration file.
 *
 * @param services at least one; their names are distinct, and no two have a port of a VIP in common
 * @param interfaceName the device that gets the VIPs; empty: the one whose network holds the VIP
 * @param attachVip whether the daemon adds the VIPs to the device
 * @param session where backends register
 * @param dataPort the UDP port on which backends take encapsulated packets
 * @param queues the NFQUEUE queues
 * @param flows how flows are remembered
 * @param maglevSize slots of a Maglev table, a prime
 * @param hashKey 32 lower-case hexadecimal digits; empty: one is generated and kept
 * @param stateDirectory for what must survive a reboot
 * @param runDirectory for the control socket and the journal of changes
 * @param logging what is logged, and where to
 */
public record LbConfig(
    List<ServiceSpec> services,
    Optional<String> interfaceName,
    boolean attachVip,
    Session session,
    int dataPort,
    Queues queues,
    Flows flows,
    int maglevSize,
    Optional<String> hashKey,
    Path stateDirectory,
    Path runDirectory,
    LoggingConfig logging) {

  /**
   * How flows are remembered, so that they stay with their backends.
   *
   * @param max flows that one worker remembers
   * @param tcpIdle after how much silence a TCP connection is forgotten
   * @param udpIdle the same for UDP
   * @param closingIdle the same for a TCP connection that has begun to close
   */
  public record Flows(int max, Duration tcpIdle, Duration udpIdle, Duration closingIdle) {}

  /**
   * The TCP socket for sessions.
   *
   * @param registerTimeout how long a backend may take to answer the check of its data path
   * @param readTimeout after how much silence a backend that announced no health interval is gone
   */
  public record Session(
      InetAddress address, int port, Duration registerTimeout, Duration readTimeout) {}

  /**
   * NFQUEUE queues: {@code count} from {@code first} on, and as many behind them for TCP. One
   * worker thread for each two.
   *
   * @param length packets that the kernel holds for a worker before it drops
   */
  public record Queues(int first, int count, int length) {

    /** The number of the last one. */
    public int last() {
      return first + 2 * count - 1;
    }
  }

  private static final Pattern INTERFACE = Pattern.compile("[^/:\\s\\p{Cntrl}]{1,15}");
  private static final Pattern HASH_KEY = Pattern.compile("[0-9a-fA-F]{32}");
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);
  private static final int MIN_FLOWS = 1 << 10;
  private static final int MAX_FLOWS = 1 << 25;

  /** The VIPs of all services, each once. */
  public List<InetAddress> vips() {
    return services.stream().map(ServiceSpec::vip).distinct().toList();
  }

  /**
   * Reads a file.
   *
   * @throws ConfigException with every mistake in it
   */
  public static LbConfig load(Path file) throws ConfigException {
    return ConfigFile.load(file, LbConfig::read);
  }

  private static LbConfig read(ConfigSection root) {
    List<ServiceSpec> services =
        root.requireSections("services", new ServiceReader()::read, "{vip: 10.0.0.50}");
    return new LbConfig(
        services,
        root.find("interface", Values.matching(INTERFACE, "the name of a network interface")),
        root.get("attachVip", Values.bool(), true),
        root.section("session", section -> readSession(section, services)),
        root.get("dataPort", Values.port(), 1337),
        root.section("queues", LbConfig::readQueues),
        root.section("flows", LbConfig::readFlows),
        root.get(
            "maglevSize",
            Values.integer(7, 5_000_011)
                .unless(
                    size -> !isPrime(size),
                    size -> size + " is not a prime number; the next one is " + nextPrime(size)),
            65537),
        root.find("hashKey", Values.matching(HASH_KEY, "a key of 32 hexadecimal digits"))
            .map(key -> key.toLowerCase(Locale.ROOT)),
        root.get("stateDirectory", Values.absolutePath(), Path.of("/var/lib/caplance")),
        root.get("runDirectory", Values.runDirectory(), Path.of("/run/caplance")),
        root.section(
            "logging",
            section -> LoggingConfig.read(section, Path.of("/var/log/caplance/lb.log"))));
  }

  private static Session readSession(ConfigSection section, List<ServiceSpec> services) {
    return new Session(
        section.get(
            "address",
            Values.address()
                .unless(
                    InetAddress::isMulticastAddress,
                    a -> IpAddresses.format(a) + " is a multicast address; nothing can listen")
                .unless(
                    a -> services.stream().anyMatch(service -> a.equals(service.vip())),
                    a ->
                        IpAddresses.format(a)
                            + " is a VIP, whose connections go to the backends; use an address"
                            + " of this machine"),
            IpAddresses.parse("0.0.0.0")),
        section.get("port", Values.port(), 1338),
        section.get("registerTimeout", Values.duration(SECOND, HOUR), Duration.ofSeconds(10)),
        section.get("readTimeout", Values.duration(SECOND, HOUR), Duration.ofSeconds(30)));
  }

  private static Queues readQueues(ConfigSection section) {
    Queues queues =
        new Queues(
            section.get("first", Values.integer(0, 65535), 0),
            section.get("count", Values.integer(1, 64), 1),
            section.get("length", Values.integer(16, 1 << 20), 8192));
    if (queues.last() > 65535) {
      section.reject(
          "first",
          2 * queues.count()
              + " queues ("
              + queues.count()
              + " and as many for TCP) from "
              + queues.first()
              + " on end above the last one, 65535; begin at "
              + (65536 - 2 * queues.count())
              + " or lower");
    }
    return queues;
  }

  private static Flows readFlows(ConfigSection section) {
    return new Flows(
        section.get("max", Values.integer(MIN_FLOWS, MAX_FLOWS), 1 << 20),
        section.get("tcpIdle", Values.duration(SECOND, DAY), Duration.ofHours(1)),
        section.get("udpIdle", Values.duration(SECOND, DAY), Duration.ofMinutes(2)),
        section.get("closingIdle", Values.duration(SECOND, DAY), Duration.ofSeconds(30)));
  }

  private static boolean isPrime(int number) {
    return IntStream.iterate(2, d -> (long) d * d <= number, d -> d + 1)
        .noneMatch(d -> number % d == 0);
  }

  private static int nextPrime(int number) {
    return IntStream.iterate(number, n -> n + 1)
        .filter(LbConfig::isPrime)
        .findFirst()
        .orElseThrow();
  }
}
