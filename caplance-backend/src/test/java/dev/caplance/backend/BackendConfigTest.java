package dev.caplance.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caplance.backend.BackendConfig.LoadBalancer;
import dev.caplance.backend.BackendConfig.Reconnect;
import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

class BackendConfigTest {

  private static final Path EXAMPLE = Path.of("../config/backend.yaml");

  private static final String REQUIRED =
      "address: 10.0.0.11\nvips: [10.0.0.50]\nloadBalancers: [{address: 10.0.0.2}]\n";

  private static final BackendConfig DEFAULTS = defaults("web-1", Optional.empty());

  @TempDir private Path directory;

  private static BackendConfig defaults(String name, Optional<LoggingConfig.LogFile> logFile) {
    return new BackendConfig(
        name,
        IpAddresses.parse("10.0.0.11"),
        List.of(IpAddresses.parse("10.0.0.50")),
        List.of(new LoadBalancer(IpAddresses.parse("10.0.0.2"), 1338, false)),
        1337,
        Duration.ofSeconds(5),
        true,
        true,
        new Reconnect(Duration.ofSeconds(1), Duration.ofSeconds(30)),
        Path.of("/run/caplance"),
        new LoggingConfig(Level.INFO, logFile));
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

  /** The two keys without a fixed default are shown with an example. */
  @Test
  void whatTheExampleShowsCommentedOutAreTheDefaultsAndAllKeys() throws Exception {
    String uncommented = Files.readString(EXAMPLE).replaceAll("(?m)^( *)#(?=\\S)", "$1");
    assertThat(load(uncommented, "other"))
        .isEqualTo(
            defaults(
                "web-1",
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
                reconnect: {initial: 100ms, max: 100ms}
                runDirectory: /srv/run
                logging: {level: error}
                """,
                "other"))
        .isEqualTo(
            new BackendConfig(
                "db-1",
                IpAddresses.parse("fd00::11"),
                List.of(IpAddresses.parse("10.0.0.50"), IpAddresses.parse("fd00::50")),
                List.of(
                    new LoadBalancer(IpAddresses.parse("fd00::2"), 2338, false),
                    new LoadBalancer(IpAddresses.parse("fd00::3"), 1338, false)),
                2337,
                Duration.ofMillis(100),
                false,
                false,
                new Reconnect(Duration.ofMillis(100), Duration.ofMillis(100)),
                Path.of("/srv/run"),
                new LoggingConfig(Level.ERROR, Optional.empty())));
  }

  @Test
  void takesALoadBalancerOf2019() throws Exception {
    String yaml = REQUIRED.replace("10.0.0.2", "10.0.0.2, protocol: 2019");
    assertThat(load(yaml, "web-1").loadBalancers())
        .containsExactly(new LoadBalancer(IpAddresses.parse("10.0.0.2"), 1338, true));
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
            "backend.yaml:3:41: vips: 'any' is not an IP address; write it like 10.0.0.50 or"
                + " 2001:db8::50",
            "backend.yaml:6:14: address: 10.0.0.2:1338 is listed twice; keep only one",
            "backend.yaml:8:15: address: 10.0.0.50 is one of the vips, which this machine has"
                + " itself; use the load balancer's own address",
            "backend.yaml:9:34: protocol: 2019 works over IPv4 only; use 2, or an IPv4 address",
            "backend.yaml:10:15: address: 127.0.0.1 is a loopback address; packets of a 2019 load"
                + " balancer come from the address of its session",
            "backend.yaml:11:35: protocol: '1' is not 2 or 2019",
            "backend.yaml:12:5: 'address' is missing; add for example 'address: 10.0.0.2'",
            "backend.yaml:14:12: initial: 1m is longer than max, 30s; make it shorter",
            "backend.yaml:15:1: unknown key 'setSysctl'; did you mean 'setSysctls'?");
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
}
