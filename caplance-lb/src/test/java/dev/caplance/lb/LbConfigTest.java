package dev.caplance.lb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.lb.LbConfig.Flows;
import dev.caplance.lb.LbConfig.Queues;
import dev.caplance.lb.LbConfig.Session;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.ServiceSpec.Affinity;
import dev.caplance.lb.forwarding.ServiceSpec.OtherTraffic;
import dev.caplance.lb.forwarding.ServiceSpec.UdpWhenUnhealthy;
import dev.caplance.lb.forwarding.ServiceSpec.WhenAllUnhealthy;
import dev.caplance.lb.forwarding.ServiceSpec.WhenEmpty;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

class LbConfigTest {

  private static final Path EXAMPLE = Path.of("../config/lb.yaml");
  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");

  private static final LbConfig DEFAULTS =
      new LbConfig(
          List.of(service("10.0.0.50", Ports.ALL)),
          Optional.empty(),
          true,
          new Session(
              IpAddresses.parse("0.0.0.0"),
              1338,
              Duration.ofSeconds(10),
              Duration.ofSeconds(30),
              Duration.ofSeconds(2),
              1000,
              64),
          1337,
          new Queues(0, 1, 8192),
          new Flows(1_048_576, Duration.ofHours(1), Duration.ofMinutes(2), Duration.ofSeconds(30)),
          65537,
          Optional.empty(),
          Path.of("/var/lib/caplance"),
          Path.of("/run/caplance"),
          new LoggingConfig(Level.INFO, Optional.empty()));

  @TempDir private Path directory;

  private static ServiceSpec service(String name, Ports ports) {
    return new ServiceSpec(
        name, VIP, ports, false, WhenAllUnhealthy.FORWARD, WhenEmpty.REJECT, OtherTraffic.HOST);
  }

  private static Ports ports(String... texts) {
    return Stream.of(texts).map(Ports::parse).reduce(Ports.NONE, Ports::union);
  }

  private LbConfig load(String yaml) throws ConfigException, IOException {
    return LbConfig.load(Files.writeString(directory.resolve("lb.yaml"), yaml));
  }

  private List<String> mistakes(String yaml) {
    ConfigException e = catchThrowableOfType(ConfigException.class, () -> load(yaml));
    return e.getMessage().replace(directory + "/", "").lines().toList();
  }

  @Test
  void onlyTheVipIsRequired() throws Exception {
    assertThat(load("services: [{vip: 10.0.0.50}]")).isEqualTo(DEFAULTS);
  }

  @Test
  void theExampleHasTheDefaults() throws Exception {
    assertThat(LbConfig.load(EXAMPLE)).isEqualTo(DEFAULTS);
  }

  /** The keys that are absent by default are shown with an example. */
  @Test
  void whatTheExampleShowsCommentedOutAreTheDefaultsAndAllKeys() throws Exception {
    String uncommented = Files.readString(EXAMPLE).replaceAll("(?m)^( *)#(?=\\S)", "$1");
    assertThat(mistakes(uncommented))
        .singleElement()
        .asString()
        .endsWith(
            "hashKey: this is the example that everybody knows, so attackers can choose the backend"
                + " of each flow; make one with 'openssl rand -hex 16'");
    String key = "6361706c616e636520697320612d6c62";
    assertThat(load(uncommented.replaceAll("(?m)^hashKey: .*$", "hashKey: " + key)))
        .isEqualTo(
            new LbConfig(
                List.of(service("web", ports("tcp/80", "tcp/443", "udp/443"))),
                Optional.of("eth0"),
                DEFAULTS.attachVip(),
                DEFAULTS.session(),
                DEFAULTS.dataPort(),
                DEFAULTS.queues(),
                DEFAULTS.flows(),
                DEFAULTS.maglevSize(),
                Optional.of("6361706c616e636520697320612d6c62"),
                DEFAULTS.stateDirectory(),
                DEFAULTS.runDirectory(),
                new LoggingConfig(
                    Level.INFO,
                    Optional.of(
                        new LoggingConfig.LogFile(
                            Path.of("/var/log/caplance/lb.log"), 10 << 20, 7)))));
  }

  @Test
  void everyKeyIsRead() throws Exception {
    assertThat(
            load(
                """
                services:
                  - name: web
                    vip: 10.0.0.50
                    ports: [tcp/80, tcp/8000-8999, tcp/81]
                    legacy: true
                    whenAllUnfit: reject
                    whenEmpty: drop
                    otherTraffic: drop
                  - {name: dns, vip: 10.0.0.50, ports: [udp, tcp/53], otherTraffic: drop}
                  - {vip: "2001:DB8::50", affinity: client, udpWhenUnhealthy: stay}
                interface: bond0.7
                attachVip: false
                session:
                  {address: "::", port: 2338, registerTimeout: 1s, readTimeout: 1m,
                   probeInterval: 500ms, maxBackends: 20000, maxBackendsPerAddress: 300}
                dataPort: 2337
                queues: {first: 65408, count: 64, length: 1024}
                flows: {max: 4096, tcpIdle: 24h, udpIdle: 1s, closingIdle: 5s}
                maglevSize: 7
                hashKey: 6361706C616E636520697320612D6C62
                stateDirectory: /srv/state/
                runDirectory: /srv/run
                logging: {level: trace, file: {}}
                """))
        .isEqualTo(
            new LbConfig(
                List.of(
                    new ServiceSpec(
                        "web",
                        VIP,
                        ports("tcp/80-81", "tcp/8000-8999"),
                        true,
                        WhenAllUnhealthy.REJECT,
                        WhenEmpty.DROP,
                        OtherTraffic.DROP),
                    new ServiceSpec(
                        "dns",
                        VIP,
                        ports("udp", "tcp/53"),
                        false,
                        WhenAllUnhealthy.FORWARD,
                        WhenEmpty.REJECT,
                        OtherTraffic.DROP),
                    new ServiceSpec(
                        "2001-db8--50",
                        IpAddresses.parse("2001:db8::50"),
                        Ports.ALL,
                        false,
                        WhenAllUnhealthy.FORWARD,
                        WhenEmpty.REJECT,
                        OtherTraffic.HOST,
                        Affinity.CLIENT,
                        UdpWhenUnhealthy.STAY)),
                Optional.of("bond0.7"),
                false,
                new Session(
                    IpAddresses.parse("::"),
                    2338,
                    Duration.ofSeconds(1),
                    Duration.ofMinutes(1),
                    Duration.ofMillis(500),
                    20_000,
                    300),
                2337,
                new Queues(65408, 64, 1024),
                new Flows(4096, Duration.ofHours(24), Duration.ofSeconds(1), Duration.ofSeconds(5)),
                7,
                Optional.of("6361706c616e636520697320612d6c62"),
                Path.of("/srv/state"),
                Path.of("/srv/run"),
                new LoggingConfig(
                    Level.TRACE,
                    Optional.of(
                        new LoggingConfig.LogFile(
                            Path.of("/var/log/caplance/lb.log"), 10 << 20, 7)))));
  }

  @Test
  void reportsEveryMistakeAtOnce() {
    assertThat(
            mistakes(
                """
                services:
                  - name: web
                    vip: 10.0.0.50
                    legacy: true
                  - name: web
                    vip: 10.0.0.50
                    legacy: true
                  - vip: fd00::50
                    legacy: true
                    otherTraffic: reject
                  - name: mail server
                    vip: 224.0.0.1
                  - port: 80
                interface: eth0:1
                session: {address: 10.0.0.50, port: 0, readTimeout: 10}
                queues: {first: 65535, count: 2, lenght: 5}
                maglevSize: 65536
                hashKey: secret
                runDirectory: run
                """))
        .containsExactly(
            "lb.yaml:5:11: name: 'web' is already the name of another service; choose another",
            "lb.yaml:6:10: vip: 10.0.0.50 is already the VIP of service 'web'; give each service a"
                + " VIP or ports of its own, such as ports: [tcp/80]",
            "lb.yaml:7:13: legacy: 2019 backends support only one VIP; mark only one service",
            "lb.yaml:9:13: legacy: 2019 backends support only IPv4; mark a service with an IPv4"
                + " VIP",
            "lb.yaml:9:13: legacy: 2019 backends support only one VIP; mark only one service",
            "lb.yaml:10:19: otherTraffic: 'reject' is not one of drop, host",
            "lb.yaml:11:11: name: 'mail server' is not a name: 1 to 64 of the characters A-Z a-z"
                + " 0-9 . _ -",
            "lb.yaml:12:10: vip: 224.0.0.1 is a multicast address; use the address of a single"
                + " machine",
            "lb.yaml:13:5: 'vip' is missing; add for example 'vip: 10.0.0.50'",
            "lb.yaml:13:5: unknown key 'port'; did you mean 'ports'?",
            "lb.yaml:14:12: interface: 'eth0:1' is not the name of a network interface",
            "lb.yaml:15:20: address: 10.0.0.50 is a VIP, whose connections go to the backends; use"
                + " an address of this machine",
            "lb.yaml:15:37: port: '0' is not a whole number from 1 to 65535",
            "lb.yaml:15:53: readTimeout: '10' is not a duration; write a number and its unit:"
                + " 500ms, 30s, 5m",
            "lb.yaml:16:17: first: 4 queues (2 and as many again for TCP) from 65535 exceed the"
                + " highest queue number, 65535; start at 65532 or lower",
            "lb.yaml:16:34: unknown key 'lenght'; did you mean 'length'?",
            "lb.yaml:17:13: maglevSize: 65536 is not a prime number; the next one is 65537",
            "lb.yaml:18:10: hashKey: 'secret' is not a key of 32 hexadecimal digits",
            "lb.yaml:19:15: runDirectory: 'run' is not an absolute path; start it with /");
  }

  @Test
  void aVipOfSeveralServicesIsListedOnce() throws Exception {
    LbConfig config =
        load(
            """
            services:
              - {name: web, vip: 10.0.0.50, ports: [tcp]}
              - {vip: fd00::50}
              - {name: dns, vip: 10.0.0.50, ports: [udp]}
            """);
    assertThat(config.vips()).containsExactly(VIP, IpAddresses.parse("fd00::50"));
  }

  @Test
  void servicesThatShareAVipShareNoPort() {
    assertThat(
            mistakes(
                """
                services:
                  - {name: web, vip: 10.0.0.50, ports: [tcp/80, tcp/8000-8999]}
                  - {name: api, vip: 10.0.0.50, ports: [udp/80, tcp/8999-9010, tcp]}
                  - {name: all, vip: 10.0.0.50}
                  - {name: dns, vip: 10.0.0.50, ports: [udp/53], otherTraffic: drop}
                  - {name: bad, vip: 10.0.0.50, ports: [http, tcp/99999]}
                  - {name: none, vip: 10.0.0.51, ports: []}
                  - {name: two, vip: 10.0.0.51, ports: tcp/80, whenEmpty: tell, whenAllUnfit: x}
                flows: {max: 1000, tcpIdle: 25h}
                """))
        .containsExactly(
            "lb.yaml:3:49: ports: tcp/8999-9010 of 10.0.0.50 already belongs to service 'web'; list"
                + " each port in one service only",
            "lb.yaml:3:64: ports: tcp of 10.0.0.50 already belongs to service 'web'; list each port"
                + " in one service only",
            "lb.yaml:4:22: vip: 10.0.0.50 is already the VIP of service 'web'; give each service a"
                + " VIP or ports of its own, such as ports: [tcp/80]",
            "lb.yaml:5:41: ports: udp/53 of 10.0.0.50 already belongs to service 'all'; list each"
                + " port in one service only",
            "lb.yaml:5:64: otherTraffic: service 'web' of the same VIP has host; use the same value"
                + " in both",
            "lb.yaml:6:41: ports: 'http' is not a port; write it like tcp/80, udp/443 or"
                + " tcp/8000-8999",
            "lb.yaml:6:47: ports: 'tcp/99999' names port 99999; the last is 65535",
            "lb.yaml:7:41: ports: must be a list, not an empty list; write ports: [tcp/80]",
            "lb.yaml:8:40: ports: must be a list, not 'tcp/80'; write ports: [tcp/80]",
            "lb.yaml:8:59: whenEmpty: 'tell' is not one of reject, drop",
            "lb.yaml:8:79: whenAllUnfit: 'x' is not one of forward, reject",
            "lb.yaml:9:14: max: '1000' is not a whole number from 1024 to 33554432",
            "lb.yaml:9:29: tcpIdle: '25h' is out of range; write 1s to 24h");
  }

  @ParameterizedTest
  @CsvSource({"7, true", "9, false", "65537, true", "655373, true", "5000011, true"})
  void aTableSizeIsAPrimeNumber(int size, boolean prime) throws Exception {
    String yaml = "services: [{vip: 10.0.0.50}]\nmaglevSize: " + size;
    if (prime) {
      assertThat(load(yaml).maglevSize()).isEqualTo(size);
    } else {
      assertThat(mistakes(yaml)).singleElement().asString().contains("is not a prime number");
    }
  }

  @Test
  void theFileOfABackendIsRecognised() {
    assertThat(
            mistakes("address: 10.0.0.11\nvips: [10.0.0.50]\nloadBalancers: [{address: 10.0.0.2}]"))
        .contains(
            "lb.yaml:3:16: loadBalancers: only a backend has this; the file looks like that of"
                + " 'caplance backend', and 'caplance lb' reads /etc/caplance/lb.yaml unless"
                + " --config names another");
  }

  @Test
  void ipv6AddressesThatYamlTakesForKeysAreRecognised() {
    assertThat(mistakes("services: [{vip: fd00::50}]\nsession:\n  address: ::\n"))
        .containsExactly(
            "lb.yaml:3:13: not valid YAML: mapping values are not allowed here; put an address that"
                + " ends in :: in quotes");
    assertThat(mistakes("services:\n  - {vip: fd00::}\n"))
        .singleElement()
        .asString()
        .endsWith("; put an address that ends in :: in quotes");
    assertThat(mistakes("services:\n  - vip: 10.0.0.50/24\n"))
        .containsExactly("lb.yaml:2:10: vip: '10.0.0.50/24' has a prefix length; write 10.0.0.50");
  }
}
