package dev.caplance.lb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.lb.LbConfig.OtherTraffic;
import dev.caplance.lb.LbConfig.Queues;
import dev.caplance.lb.LbConfig.Service;
import dev.caplance.lb.LbConfig.Session;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
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

class LbConfigTest {

  private static final Path EXAMPLE = Path.of("../config/lb.yaml");
  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");

  private static final LbConfig DEFAULTS =
      new LbConfig(
          List.of(new Service("10.0.0.50", VIP, false, OtherTraffic.DROP)),
          Optional.empty(),
          true,
          new Session(
              IpAddresses.parse("0.0.0.0"), 1338, Duration.ofSeconds(10), Duration.ofSeconds(30)),
          1337,
          new Queues(0, 1, 8192),
          65537,
          Optional.empty(),
          Path.of("/var/lib/caplance"),
          Path.of("/run/caplance"),
          new LoggingConfig(Level.INFO, Optional.empty()));

  @TempDir private Path directory;

  private LbConfig load(String yaml) throws ConfigException, IOException {
    return LbConfig.load(Files.writeString(directory.resolve("lb.yaml"), yaml));
  }

  private List<String> mistakes(String yaml) {
    ConfigException e = catchThrowableOfType(ConfigException.class, () -> load(yaml));
    return e.getMessage().replace(directory + "/", "").lines().toList();
  }

  @Test
  void onlyTheVipHasToBeGiven() throws Exception {
    assertThat(load("services: [{vip: 10.0.0.50}]")).isEqualTo(DEFAULTS);
  }

  @Test
  void theExampleHasTheDefaults() throws Exception {
    assertThat(LbConfig.load(EXAMPLE)).isEqualTo(DEFAULTS);
  }

  /** The three keys that are absent by default are shown with an example. */
  @Test
  void whatTheExampleShowsCommentedOutAreTheDefaultsAndAllKeys() throws Exception {
    String uncommented = Files.readString(EXAMPLE).replaceAll("(?m)^( *)#(?=\\S)", "$1");
    assertThat(load(uncommented))
        .isEqualTo(
            new LbConfig(
                List.of(new Service("web", VIP, false, OtherTraffic.DROP)),
                Optional.of("eth0"),
                DEFAULTS.attachVip(),
                DEFAULTS.session(),
                DEFAULTS.dataPort(),
                DEFAULTS.queues(),
                DEFAULTS.maglevSize(),
                Optional.of("00112233445566778899aabbccddeeff"),
                DEFAULTS.stateDirectory(),
                DEFAULTS.runDirectory(),
                new LoggingConfig(
                    Level.INFO,
                    Optional.of(
                        new LoggingConfig.LogFile(
                            Path.of("/var/log/caplance/lb.log"), 10 << 20, 7)))));
  }

  @Test
  void everyKeyIsTaken() throws Exception {
    assertThat(
            load(
                """
                services:
                  - {name: web, vip: 10.0.0.50, legacy: true, otherTraffic: host}
                  - {vip: "2001:DB8::50"}
                interface: bond0.7
                attachVip: false
                session: {address: "::", port: 2338, registerTimeout: 1s, readTimeout: 1m}
                dataPort: 2337
                queues: {first: 65472, count: 64, length: 1024}
                maglevSize: 7
                hashKey: 00112233445566778899AABBCCDDEEFF
                stateDirectory: /srv/state/
                runDirectory: /srv/run
                logging: {level: trace, file: {}}
                """))
        .isEqualTo(
            new LbConfig(
                List.of(
                    new Service("web", VIP, true, OtherTraffic.HOST),
                    new Service(
                        "2001:db8::50",
                        IpAddresses.parse("2001:db8::50"),
                        false,
                        OtherTraffic.DROP)),
                Optional.of("bond0.7"),
                false,
                new Session(
                    IpAddresses.parse("::"), 2338, Duration.ofSeconds(1), Duration.ofMinutes(1)),
                2337,
                new Queues(65472, 64, 1024),
                7,
                Optional.of("00112233445566778899aabbccddeeff"),
                Path.of("/srv/state"),
                Path.of("/srv/run"),
                new LoggingConfig(
                    Level.TRACE,
                    Optional.of(
                        new LoggingConfig.LogFile(
                            Path.of("/var/log/caplance/lb.log"), 10 << 20, 7)))));
  }

  @Test
  void reportsEveryMistakeInOneRun() {
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
            "lb.yaml:5:11: name: 'web' is another service already; choose another name",
            "lb.yaml:6:10: vip: 10.0.0.50 is the VIP of another service already; give each its own",
            "lb.yaml:9:13: legacy: 2019 backends know IPv4 only; mark a service with an IPv4 VIP",
            "lb.yaml:9:13: legacy: 2019 backends know one VIP only; mark just one service",
            "lb.yaml:10:19: otherTraffic: 'reject' is not one of drop, host",
            "lb.yaml:11:11: name: 'mail server' is not a name: 1 to 64 of the characters A-Z a-z 0-9"
                + " . _ -",
            "lb.yaml:12:10: vip: 224.0.0.1 is a multicast address; use one of a single machine",
            "lb.yaml:13:5: 'vip' is missing; add for example 'vip: 10.0.0.50'",
            "lb.yaml:13:5: unknown key 'port'; known here: vip, name, legacy, otherTraffic",
            "lb.yaml:14:12: interface: 'eth0:1' is not the name of a network interface",
            "lb.yaml:15:20: address: 10.0.0.50 is a VIP, whose connections go to the backends; use"
                + " an address of this machine",
            "lb.yaml:15:37: port: '0' is not a whole number from 1 to 65535",
            "lb.yaml:15:53: readTimeout: '10' is not a length of time; write a number and its unit:"
                + " 500ms, 30s, 5m",
            "lb.yaml:16:17: first: 2 queues from 65535 on end above the last one, 65535; begin at"
                + " 65534 or lower",
            "lb.yaml:16:34: unknown key 'lenght'; did you mean 'length'?",
            "lb.yaml:17:13: maglevSize: 65536 is not a prime number; the next one is 65537",
            "lb.yaml:18:10: hashKey: 'secret' is not a key of 32 hexadecimal digits",
            "lb.yaml:19:15: runDirectory: 'run' is not an absolute path; begin it with /");
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
}
