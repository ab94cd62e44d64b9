package dev.caplance.lb;

import dev.caplance.config.ConfigException;
import dev.caplance.config.ConfigFile;
import dev.caplance.config.ConfigSection;
import dev.caplance.config.LoggingConfig;
import dev.caplance.config.Values;
import dev.caplance.lb.forwarding.Maglev;
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
 * @param services at least one, in the order of the file; their names are distinct, and no two
 *     share a port of a VIP
 * @param interfaceName the interface that gets the VIPs; empty: the one whose network contains the
 *     VIP
 * @param attachVip whether the daemon adds the VIPs to the interface
 * @param session the listener for sessions
 * @param dataPort the UDP port on which backends receive encapsulated packets, 1 to 65535
 * @param queues the NFQUEUE queues
 * @param flows size and timeouts of the flow tables
 * @param maglevSize slots of each Maglev table, a prime from 7 to 5,000,011
 * @param hashKey 32 lower-case hexadecimal digits; empty: one is generated and kept
 * @param stateDirectory for files that must survive a reboot
 * @param runDirectory for the control socket and the journal of changes
 * @param logging the level and the destination of the log
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
   * Size and timeouts of the flow tables, which keep flows on their backends.
   *
   * @param max flows that each worker remembers, 1,024 to 33,554,432
   * @param tcpIdle idle time after which a TCP connection makes room for others, 1 s to 24 h
   * @param udpIdle idle time after which a UDP flow is forgotten, 1 s to 24 h
   * @param closingIdle idle time after which another connection from the same port follows the
   *     current table, once the client seems to have closed the first; 1 s to 24 h
   */
  public record Flows(int max, Duration tcpIdle, Duration udpIdle, Duration closingIdle) {}

  /**
   * The TCP listener for sessions.
   *
   * @param address the local address that it listens on
   * @param port 1 to 65535
   * @param registerTimeout how long a session may take from connecting to REGISTERED, 1 s to 1 h
   * @param readTimeout silence after which a backend that announced no health interval is given up,
   *     1 s to 1 h
   * @param probeInterval how often the path to each backend is probed, 100 ms to 1 min; backends
   *     with a short health interval are probed more often
   * @param maxBackends registered backends in all, 1 to 65,535
   * @param maxBackendsPerAddress registered backends whose sessions come from one address, 1 to
   *     65,535
   */
  public record Session(
      InetAddress address,
      int port,
      Duration registerTimeout,
      Duration readTimeout,
      Duration probeInterval,
      int maxBackends,
      int maxBackendsPerAddress) {}

  /**
   * The NFQUEUE queues: {@code count} from {@code first} on, followed by as many for TCP. Each
   * worker thread serves one of either kind.
   *
   * @param first the number of the first queue, from 0
   * @param count the number of workers, 1 to 64
   * @param length packets that the kernel holds in each queue before it drops, 16 to 1,048,576
   */
  public record Queues(int first, int count, int length) {

    /** The number of the last queue, at most 65535. */
    public int last() {
      return first + 2 * count - 1;
    }
  }

  private static final Pattern INTERFACE = Pattern.compile("[^/:\\s\\p{Cntrl}]{1,15}");
  private static final Pattern HASH_KEY = Pattern.compile("[0-9a-fA-F]{32}");

  /** In {@code config/lb.yaml}. */
  private static final String EXAMPLE_HASH_KEY = "00112233445566778899aabbccddeeff";

  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);
  private static final int MIN_FLOWS = 1 << 10;
  private static final int MAX_FLOWS = 1 << 25;

  /** The VIPs of all services, each once, in the order of the file. */
  public List<InetAddress> vips() {
    return services.stream().map(ServiceSpec::vip).distinct().toList();
  }

  /**
   * Reads a configuration file.
   *
   * @throws ConfigException listing every mistake in it
   */
  public static LbConfig load(Path file) throws ConfigException {
    return ConfigFile.load(file, LbConfig::read);
  }

  private static LbConfig read(ConfigSection root) {
    root.rejectForeign(
        "loadBalancers",
        "only a backend has this; the file looks like that of 'caplance backend', and 'caplance lb'"
            + " reads /etc/caplance/lb.yaml unless --config names another");
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
        root.find(
                "hashKey",
                Values.matching(HASH_KEY, "a key of 32 hexadecimal digits")
                    .unless(
                        EXAMPLE_HASH_KEY::equalsIgnoreCase,
                        key ->
                            "this is the example that everybody knows, so attackers can choose the"
                                + " backend of each flow; make one with 'openssl rand -hex 16'"))
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
                    a ->
                        IpAddresses.format(a)
                            + " is a multicast address; use an address of this machine")
                .unless(
                    a -> services.stream().anyMatch(service -> a.equals(service.vip())),
                    a ->
                        IpAddresses.format(a)
                            + " is a VIP, whose connections go to the backends; use an address"
                            + " of this machine"),
            IpAddresses.parse("0.0.0.0")),
        section.get("port", Values.port(), 1338),
        section.get("registerTimeout", Values.duration(SECOND, HOUR), Duration.ofSeconds(10)),
        section.get("readTimeout", Values.duration(SECOND, HOUR), Duration.ofSeconds(30)),
        section.get(
            "probeInterval",
            Values.duration(Duration.ofMillis(100), Duration.ofMinutes(1)),
            Duration.ofSeconds(2)),
        section.get("maxBackends", Values.integer(1, Maglev.MAX_BACKENDS), 1000),
        section.get("maxBackendsPerAddress", Values.integer(1, Maglev.MAX_BACKENDS), 64));
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
              + " and as many again for TCP) from "
              + queues.first()
              + " exceed the highest queue number, 65535; start at "
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
