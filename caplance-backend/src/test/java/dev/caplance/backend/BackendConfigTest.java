package dev.caplance.backend;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caplance.backend.BackendConfig.Reconnect;
import dev.caplance.backend.health.AnswerMatch;
import dev.caplance.backend.health.CheckTarget;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.health.StatusCodes;
import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

class BackendConfigTest {

  private static final Path EXAMPLE = Path.of("../config/backend.yaml");

  private static final String REQUIRED =
      "address: 10.0.0.11\nvips: [10.0.0.50]\nloadBalancers: [{address: 10.0.0.2}]\n";

  private static final BackendConfig DEFAULTS =
      defaults(List.of(), List.of(), Optional.empty(), Optional.empty());

  @TempDir private Path directory;

  private static BackendConfig defaults(
      List<String> services,
      List<HealthChecks.Settings> checks,
      Optional<Integer> mtu,
      Optional<LoggingConfig.LogFile> logFile) {
    return new BackendConfig(
        "web-1",
        IpAddresses.parse("10.0.0.11"),
        List.of(IpAddresses.parse("10.0.0.50")),
        List.of(new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, false)),
        1337,
        Duration.ofSeconds(5),
        true,
        true,
        services,
        1,
        checks,
        Duration.ZERO,
        mtu,
        true,
        true,
        new Reconnect(Duration.ofSeconds(1), Duration.ofSeconds(2)),
        Path.of("/run/caplance"),
        Path.of("/var/lib/caplance"),
        new LoggingConfig(Level.INFO, logFile));
  }

  private static InetSocketAddress onVip(int port) {
    return new InetSocketAddress(IpAddresses.parse("10.0.0.50"), port);
  }

  private static final StatusCodes OK = codes("200");

  private static StatusCodes codes(String... ranges) {
    return new StatusCodes(Stream.of(ranges).map(StatusCodes.Range::parse).toList());
  }

  private static ByteBuffer bytes(String hex) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
  }

  /** A check with the default rhythm. */
  private static HealthChecks.Settings check(CheckTarget target) {
    return new HealthChecks.Settings(target, Duration.ofSeconds(5), Duration.ofSeconds(2), 2, 3);
  }

  private BackendConfig load(String yaml, String hostName) throws ConfigException, IOException {
    return BackendConfig.load(
        Files.writeString(directory.resolve("backend.yaml"), yaml), () -> hostName);
  }

  private List<String> mistakes(String yaml, String hostName) {
    ConfigException e = catchThrowableOfType(ConfigException.class, () -> load(yaml, hostName));
    return e.getMessage().replace(directory + "/", "").lines().toList();
  }

  @ParameterizedTest
  @CsvSource({"web-1", "web-1.example.com"})
  void onlyTheAddressesHaveToBeGiven(String hostName) throws Exception {
    assertThat(load(REQUIRED, hostName + "\n")).isEqualTo(DEFAULTS);
  }

  @Test
  void theExampleHasTheDefaults() throws Exception {
    assertThat(BackendConfig.load(EXAMPLE, () -> "web-1")).isEqualTo(DEFAULTS);
  }

  /** The keys without a fixed default are shown with an example. */
  @Test
  void whatTheExampleShowsCommentedOutAreTheDefaultsAndAllKeys() throws Exception {
    String uncommented = Files.readString(EXAMPLE).replaceAll("(?m)^( *)#(?=\\S)", "$1");
    assertThat(load(uncommented, "other"))
        .isEqualTo(
            defaults(
                List.of("web"),
                List.of(
                    check(
                        new CheckTarget.Http(
                            onVip(80),
                            "/health",
                            OK,
                            Optional.of("www.example.com"),
                            Optional.of(new AnswerMatch(AnswerMatch.Kind.CONTAINS, "ok")),
                            Optional.empty())),
                    check(
                        new CheckTarget.Http(
                            onVip(443),
                            "/",
                            OK,
                            Optional.of("www.example.com"),
                            Optional.empty(),
                            Optional.of(
                                new CheckTarget.Tls(
                                    true, Optional.of(Path.of("/etc/caplance/ca.pem")))))),
                    check(new CheckTarget.Tcp(onVip(443))),
                    check(
                        new CheckTarget.Udp(
                            onVip(53),
                            IpAddresses.parse("10.0.0.11"),
                            bytes("0001000000010000000000000000020001"),
                            Optional.of(new AnswerMatch(AnswerMatch.Kind.CONTAINS_HEX, "0001")))),
                    check(new CheckTarget.Command(List.of("/usr/local/bin/check-app", "--quick")))),
                Optional.of(1500),
                Optional.of(
                    new LoggingConfig.LogFile(
                        Path.of("/var/log/caplance/backend.log"), 10 << 20, 7))));
  }

  @Test
  void everyKeyIsTaken() throws Exception {
    assertThat(
            load(
                """
                name: db-1
                address: fd00::11
                vips: [10.0.0.50, "fd00::50"]
                loadBalancers:
                  - {address: fd00::2, port: 2338}
                  - {address: fd00::3, protocol: 2}
                dataPort: 2337
                healthInterval: 100ms
                attachVip: false
                setSysctls: false
                services: [db, db-read]
                weight: 256
                checks:
                  - {type: tcp, vip: 10.0.0.50, port: 5432, interval: 1s, rise: 1, fall: 1}
                  - {type: http, vip: "fd00::50", path: "/h?a=1", expect: 204, timeout: 5s}
                  - {type: https, vip: 10.0.0.50, verify: false, expect: [200-299, 301], matches: "o+k"}
                  - {type: udp, vip: "fd00::50", port: 9, send: "hé"}
                  - {type: udp, vip: 10.0.0.50, port: 9, send: ping, contains: pong}
                  - {type: command, command: [check, "a b"]}
                drainOnStop: 5m
                mtu: 9000
                clampMss: false
                joinSegments: false
                reconnect: {initial: 100ms, max: 100ms}
                runDirectory: /srv/run
                stateDirectory: /srv/lib
                logging: {level: error}
                """,
                "other"))
        .isEqualTo(
            new BackendConfig(
                "db-1",
                IpAddresses.parse("fd00::11"),
                List.of(IpAddresses.parse("10.0.0.50"), IpAddresses.parse("fd00::50")),
                List.of(
                    new LoadBalancerAddress(IpAddresses.parse("fd00::2"), 2338, false),
                    new LoadBalancerAddress(IpAddresses.parse("fd00::3"), 1338, false)),
                2337,
                Duration.ofMillis(100),
                false,
                false,
                List.of("db", "db-read"),
                256,
                List.of(
                    new HealthChecks.Settings(
                        new CheckTarget.Tcp(onVip(5432)),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        1,
                        1),
                    new HealthChecks.Settings(
                        new CheckTarget.Http(
                            new InetSocketAddress(IpAddresses.parse("fd00::50"), 80),
                            "/h?a=1",
                            codes("204"),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.empty()),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(5),
                        2,
                        3),
                    check(
                        new CheckTarget.Http(
                            onVip(443),
                            "/",
                            codes("200-299", "301"),
                            Optional.empty(),
                            Optional.of(new AnswerMatch(AnswerMatch.Kind.MATCHES, "o+k")),
                            Optional.of(new CheckTarget.Tls(false, Optional.empty())))),
                    check(
                        new CheckTarget.Udp(
                            new InetSocketAddress(IpAddresses.parse("fd00::50"), 9),
                            IpAddresses.parse("fd00::11"),
                            bytes("68c3a9"),
                            Optional.empty())),
                    check(
                        new CheckTarget.Udp(
                            onVip(9),
                            IpAddresses.parse("127.0.0.1"),
                            bytes("70696e67"),
                            Optional.of(new AnswerMatch(AnswerMatch.Kind.CONTAINS, "pong")))),
                    check(new CheckTarget.Command(List.of("check", "a b")))),
                Duration.ofMinutes(5),
                Optional.of(9000),
                false,
                false,
                new Reconnect(Duration.ofMillis(100), Duration.ofMillis(100)),
                Path.of("/srv/run"),
                Path.of("/srv/lib"),
                new LoggingConfig(Level.ERROR, Optional.empty())));
  }

  @Test
  void takesALoadBalancerOf2019() throws Exception {
    String yaml = REQUIRED.replace("10.0.0.2", "10.0.0.2, protocol: 2019");
    assertThat(load(yaml, "web-1").loadBalancers())
        .containsExactly(new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, true));
  }

  @Test
  void reportsEveryMistakeInOneRun() {
    assertThat(
            mistakes(
                """
                name: web 1
                address: 10.0.0.50
                vips: [10.0.0.50, 10.0.0.50, 127.0.0.5, any]
                loadBalancers:
                  - address: 10.0.0.2
                  - address: 10.0.0.2
                    port: 1338
                  - {address: 10.0.0.50}
                  - {address: fd00::2, protocol: 2019}
                  - {address: 127.0.0.1, protocol: 2019}
                  - {address: 10.0.0.3, protocol: 1}
                  - port: 1338
                reconnect:
                  initial: 1m
                  max: 30s
                setSysctl: true
                """,
                "web-1"))
        .containsExactly(
            "backend.yaml:1:7: name: 'web 1' is not a name: 1 to 64 of the characters A-Z a-z 0-9 ."
                + " _ -",
            "backend.yaml:2:10: address: 10.0.0.50 is one of the vips, which many machines share;"
                + " use one that only this machine has",
            "backend.yaml:3:19: vips: 10.0.0.50 is listed twice; keep only one",
            "backend.yaml:3:30: vips: 127.0.0.5 is a loopback address; other machines cannot reach"
                + " it",
            "backend.yaml:3:41: vips: 'any' is a host name; write its address, like 10.0.0.50 or"
                + " 2001:db8::50, because names are not looked up",
            "backend.yaml:6:14: address: 10.0.0.2:1338 is listed twice; keep only one",
            "backend.yaml:8:15: address: 10.0.0.50 is one of the vips, which this machine has"
                + " itself; use the load balancer's own address",
            "backend.yaml:9:34: protocol: 2019 works over IPv4 only; use 2, or an IPv4 address",
            "backend.yaml:10:15: address: 127.0.0.1 is a loopback address; packets of a 2019 load"
                + " balancer come from the address of its session",
            "backend.yaml:11:35: protocol: '1' is not 2 or 2019",
            "backend.yaml:12:5: 'address' is missing; add for example 'address: 10.0.0.2'",
            "backend.yaml:14:12: initial: 1m is longer than max, 30s; make it shorter",
            "backend.yaml:16:1: unknown key 'setSysctl'; did you mean 'setSysctls'?");
  }

  @Test
  void saysWhatIsWrongWithWhatTheBackendOffers() {
    assertThat(
            mistakes(
                REQUIRED
                    + """
                    services: [web, web, "a b"]
                    weight: 0
                    drainOnStop: 2h
                    mtu: 575
                    checks:
                      - {type: tcp}
                      - {type: ping, port: 80, expect: x}
                      - {port: 80}
                      - {type: http, vip: 10.0.0.51, path: health, expect: 600}
                      - {type: tcp, port: 80, path: /}
                      - {type: command, command: check}
                      - {type: tcp, port: 80, interval: 1s, timeout: 2s}
                      - tcp
                      - {type: http, expect: [100, 399-200], host: "a b", matches: "(", contains: x}
                      - {type: https}
                      - {type: udp, port: 53}
                      - {type: udp, port: 53, send: a, sendHex: abc}
                    """,
                "web-1"))
        .containsExactly(
            "backend.yaml:4:17: services: web is listed twice; keep only one",
            "backend.yaml:4:22: services: 'a b' is not a name: 1 to 64 of the characters A-Z a-z"
                + " 0-9 . _ -",
            "backend.yaml:5:9: weight: '0' is not a whole number from 1 to 256",
            "backend.yaml:6:14: drainOnStop: '2h' is out of range; write 0s to 1h",
            "backend.yaml:7:6: mtu: '575' is not a whole number from 576 to 65535",
            "backend.yaml:9:5: 'port' is missing; add for example 'port: 80'",
            "backend.yaml:10:12: type: 'ping' is not one of tcp, http, https, udp," + " command",
            "backend.yaml:11:5: 'type' is missing; add for example 'type: http'",
            "backend.yaml:12:23: vip: 10.0.0.51 is not one of the vips; clients do not reach the"
                + " application there",
            "backend.yaml:12:40: path: 'health' is not a path; begin it with / and write it as in a"
                + " URL",
            "backend.yaml:12:56: expect: '600' is not a status from 200 to 599, nor a range of them"
                + " like 200-399",
            "backend.yaml:13:27: unknown key 'path'; known here: type, vip, port, interval,"
                + " timeout, rise, fall",
            "backend.yaml:14:30: command: must be a list, not 'check'; write command:"
                + " [/usr/local/bin/check-app]",
            "backend.yaml:15:50: timeout: 2s is longer than interval, 1s; make it shorter, or the"
                + " interval longer",
            "backend.yaml:16:5: checks: an entry is a group of keys like {type: http, vip:"
                + " 10.0.0.50, port: 80, path: /health}, not 'tcp'",
            "backend.yaml:17:27: expect: '100' begins below 200; a status of 1xx never ends an"
                + " answer",
            "backend.yaml:17:32: expect: '399-200' is not a status from 200 to 599, nor a range of"
                + " them like 200-399",
            "backend.yaml:17:48: host: 'a b' is not a host name, with or without a port",
            "backend.yaml:17:64: matches: '(' is not a regular expression: Unclosed group",
            "backend.yaml:17:64: matches: give either this or contains",
            "backend.yaml:18:12: type: https needs host, the name that the server's certificate is"
                + " for; or set verify: false",
            "backend.yaml:19:12: type: udp needs either send, a text, or sendHex, bytes in"
                + " hexadecimal digits",
            "backend.yaml:20:45: sendHex: 'abc' is not pairs of hexadecimal digits; write for"
                + " example 'c0 01'",
            "backend.yaml:20:45: sendHex: udp needs either send, a text, or sendHex, bytes in"
                + " hexadecimal digits");
  }

  @Test
  void theNamesOfTheServicesMustFitInALine() {
    assertThat(
            mistakes(
                REQUIRED
                    + IntStream.range(0, 5)
                        .mapToObj(i -> i + "a".repeat(60))
                        .collect(joining(", ", "services: [", "]\n")),
                "web-1"))
        .containsExactly(
            "backend.yaml:4:11: services: the names take 309 characters in all, more than the 300"
                + " that fit REGISTER; give the services shorter names, or leave this out to serve"
                + " all");
  }

  @Test
  void aCheckOfOneOfSeveralVipsNamesIt() {
    assertThat(
            mistakes(
                REQUIRED.replace("[10.0.0.50]", "[10.0.0.50, fd00::50]")
                    + "checks: [{type: http}]\n",
                "web-1"))
        .containsExactly("backend.yaml:4:10: 'vip' is missing; add for example 'vip: 10.0.0.50'");
  }

  @Test
  void saysWhatIsMissing() {
    assertThat(mistakes("name: web-1", "web-1"))
        .containsExactly(
            "backend.yaml:1:1: 'address' is missing; add for example 'address: 10.0.0.11'",
            "backend.yaml:1:1: 'loadBalancers' is missing; add for example 'loadBalancers:"
                + " [{address: 10.0.0.2}]'",
            "backend.yaml:1:1: 'vips' is missing; add for example 'vips: [10.0.0.50]'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "10.0.0.11 | fd00::50  | 2019 balances IPv4 only; use 2, or serve an IPv4 VIP",
        "fd00::11  | 10.0.0.50 | 2019 works over IPv4 only, and this backend's address is fd00::11;"
            + " use 2, or give the backend an IPv4 address",
      })
  void aLoadBalancerOf2019NeedsIpv4(String address, String vip, String mistake) {
    assertThat(
            mistakes(
                """
                address: %s
                vips: ["%s"]
                loadBalancers: [{address: 10.0.0.2, protocol: 2019}]
                """
                    .formatted(address, vip),
                "web-1"))
        .containsExactly("backend.yaml:3:47: protocol: " + mistake);
  }

  @Test
  void theLoadBalancerIsAnotherMachine() {
    assertThat(mistakes(REQUIRED.replace("10.0.0.2}", "10.0.0.11}"), "web-1"))
        .containsExactly(
            "backend.yaml:3:27: address: 10.0.0.11 is this backend's own address; run the load"
                + " balancer on another machine");
  }

  @Test
  void aHostNameThatIsNoNameIsAMistake() {
    assertThat(mistakes(REQUIRED, "web_1 (old).example.com"))
        .containsExactly(
            "backend.yaml:1:1: name: the host name cannot be taken: 'web_1 (old)' is not a name: 1"
                + " to 64 of the characters A-Z a-z 0-9 . _ -; set name");
  }

  @Test
  void theHostNameIsReadFromTheKernel() throws Exception {
    assertThat(BackendConfig.load(EXAMPLE).name())
        .isEqualTo(Files.readString(Path.of("/proc/sys/kernel/hostname")).strip().split("\\.")[0]);
  }

  @Test
  void theFileOfALoadBalancerIsRecognised() {
    assertThat(mistakes("services:\n  - name: web\n    vip: 10.0.0.50\n", "web-1"))
        .contains(
            "backend.yaml:2:3: services: a backend lists names here; the file looks like that of"
                + " 'caplance lb', and 'caplance backend' reads /etc/caplance/backend.yaml unless"
                + " --config names another");
  }

  @Test
  void anAddressThatYamlTakesForAKeyIsRecognised() {
    assertThat(mistakes(REQUIRED.replace("[10.0.0.50]", "\n  - fd00::"), "web-1"))
        .containsExactly(
            "backend.yaml:3:5: vips: must be a single value, not a group of keys; put it in quotes:"
                + " \"fd00::\"");
  }
}
