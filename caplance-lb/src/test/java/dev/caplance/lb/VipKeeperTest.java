package dev.caplance.lb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.host.CommandRunner;
import dev.caplance.host.Journal;
import dev.caplance.host.VipAddresses;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VipKeeperTest {

  private static final InetAddress FIRST = IpAddresses.parse("10.0.0.50");
  private static final InetAddress SECOND = IpAddresses.parse("10.0.0.51");

  /** The addresses of eth0 are files; one whose name is in "failing" cannot be added. */
  private static final String IP =
      """
      #!/bin/sh
      cd "$(dirname "$0")" || exit 9
      shift
      case "$1 $2" in
        "-json address")
          printf '[{"ifname":"eth0","flags":["UP"],"mtu":1500,"addr_info":['
          printf '{"local":"10.0.0.2","prefixlen":24}'
          for file in eth0/*; do
            [ ! -f "$file" ] || printf ',{"local":"%s","prefixlen":32}' "${file#*/}"
          done
          echo ']}]'
          ;;
        "address add")
          if [ -f "failing/${3%/*}" ]; then echo "Error: no such luck." >&2; exit 2; fi
          : > "eth0/${3%/*}"
          ;;
        "address delete") rm "eth0/${3%/*}" ;;
      esac
      """;

  @TempDir private Path directory;

  private final List<String> announced = new ArrayList<>();
  private final Set<InetAddress> cannotBeAnnounced = new HashSet<>();
  private final Map<InetAddress, String> holders = new LinkedHashMap<>();
  private final Map<InetAddress, String> rivals = new LinkedHashMap<>();
  private final List<InetAddress> asked = new ArrayList<>();
  private boolean carrier = true;
  private long nanos = 1;
  private Journal journal;
  private VipKeeper keeper;

  @BeforeEach
  void open() throws IOException {
    Files.createDirectory(directory.resolve("eth0"));
    Files.createDirectory(directory.resolve("failing"));
    Path ip = Files.writeString(directory.resolve("ip"), IP);
    Files.setPosixFilePermissions(ip, PosixFilePermissions.fromString("rwx------"));
    CommandRunner commands = new CommandRunner(List.of(ip.toString()), Duration.ofSeconds(60));
    journal = Journal.open(directory.resolve("run"), "lb");
    keeper =
        new VipKeeper(
            new VipAddresses(journal, commands, this::holders),
            new VipKeeper.Neighbours() {
              @Override
              public void announce(InetAddress vip, String device) throws IOException {
                VipKeeperTest.this.announce(vip, device);
              }

              @Override
              public Map<InetAddress, String> rivals(Map<InetAddress, String> devices) {
                return rivals;
              }
            },
            device -> carrier,
            () -> nanos);
  }

  private Map<InetAddress, String> holders(Map<InetAddress, String> devices) {
    asked.addAll(devices.keySet());
    return holders;
  }

  private void keep(Map<InetAddress, Optional<String>> vips) throws IOException {
    keeper.want(vips);
    keeper.maintain();
  }

  @AfterEach
  void close() throws IOException {
    journal.close();
  }

  private void announce(InetAddress vip, String device) throws IOException {
    if (cannotBeAnnounced.contains(vip)) {
      throw new IOException("cannot announce " + IpAddresses.format(vip));
    }
    announced.add(IpAddresses.format(vip) + " " + device);
  }

  private static Map<InetAddress, Optional<String>> vips(InetAddress... vips) {
    Map<InetAddress, Optional<String>> wanted = new LinkedHashMap<>();
    List.of(vips).forEach(vip -> wanted.put(vip, Optional.empty()));
    return wanted;
  }

  private List<String> addresses() throws IOException {
    try (var files = Files.list(directory.resolve("eth0"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void attachesAndAnnouncesThreeTimesBecauseAFrameMayBeLost() throws IOException {
    keep(vips(FIRST, SECOND));
    assertThat(addresses()).containsExactly("10.0.0.50", "10.0.0.51");
    for (int i = 0; i < 5; i++) {
      keeper.maintain();
    }
    assertThat(announced)
        .hasSize(6)
        .startsWith("10.0.0.50 eth0", "10.0.0.51 eth0")
        .containsOnly("10.0.0.50 eth0", "10.0.0.51 eth0");
  }

  @Test
  void putsBackAndAnnouncesAgainWhatWasRemoved() throws IOException {
    keep(vips(FIRST));
    for (int i = 0; i < 3; i++) {
      keeper.maintain();
    }
    announced.clear();
    Files.delete(directory.resolve("eth0/10.0.0.50"));
    keeper.maintain();
    assertThat(addresses()).containsExactly("10.0.0.50");
    assertThat(announced).containsExactly("10.0.0.50 eth0");
  }

  @Test
  void aVipThatCannotBeAnnouncedDoesNotStopTheOthers() {
    cannotBeAnnounced.add(FIRST);
    assertThatThrownBy(() -> keep(vips(FIRST, SECOND))).hasMessage("cannot announce 10.0.0.50");
    assertThat(announced).containsExactly("10.0.0.51 eth0");
    cannotBeAnnounced.clear();
    assertThatThrownBy(() -> keep(vips(IpAddresses.parse("192.0.2.1"))))
        .as("no network holds it")
        .hasMessageContaining("192.0.2.1");
  }

  /** As a network manager that is in the middle of something may do. */
  @Test
  void aVipThatCannotBePutBackDoesNotStopTheOthers() throws IOException {
    keep(vips(FIRST, SECOND));
    Files.createFile(directory.resolve("failing/10.0.0.50"));
    Files.delete(directory.resolve("eth0/10.0.0.50"));
    Files.delete(directory.resolve("eth0/10.0.0.51"));
    assertThatThrownBy(keeper::maintain).hasMessageContaining("no such luck");
    assertThat(addresses()).containsExactly("10.0.0.51");
    Files.delete(directory.resolve("failing/10.0.0.50"));
    keeper.maintain();
    assertThat(addresses()).containsExactly("10.0.0.50", "10.0.0.51");
  }

  /** The other machine may be the load balancer whose place this one takes when it fails. */
  @Test
  void aVipThatAnotherMachineHasIsAddedWhenItGivesItUp() throws IOException {
    holders.put(FIRST, "02:00:00:00:00:09");
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> keep(vips(FIRST, SECOND)))
          .hasMessage(
              "another machine on eth0 has 10.0.0.50, with the MAC 02:00:00:00:00:09; it is added"
                  + " here when that machine gives it up");
    }
    assertThat(addresses()).containsExactly("10.0.0.51");
    assertThat(announced).doesNotContain("10.0.0.50 eth0");
    holders.clear();
    asked.clear();
    keeper.maintain();
    assertThat(addresses()).containsExactly("10.0.0.50", "10.0.0.51");
    assertThat(asked).as("not about one that is here").containsExactly(FIRST);
    assertThat(announced).contains("10.0.0.50 eth0");
  }

  @Test
  void aVipWhoseInterfaceComesLateIsAttachedThen() throws IOException {
    Map<InetAddress, Optional<String>> late = Map.of(FIRST, Optional.of("eth7"));
    assertThatThrownBy(() -> keep(late)).hasMessageContaining("no network interface 'eth7'");
    assertThat(addresses()).isEmpty();
    Path ip = directory.resolve("ip");
    Files.writeString(ip, IP.replace("eth0", "eth7"));
    Files.move(directory.resolve("eth0"), directory.resolve("eth7"));
    keeper.maintain();
    assertThat(announced).containsExactly("10.0.0.50 eth7");
  }

  @Test
  void announcesAgainWhenTheCarrierIsBackAndEachMinute() throws IOException {
    keep(vips(FIRST));
    keeper.maintain();
    keeper.maintain();
    announced.clear();
    keeper.maintain();
    assertThat(announced).isEmpty();
    nanos += Duration.ofMinutes(1).toNanos();
    keeper.maintain();
    keeper.maintain();
    assertThat(announced).hasSize(1);
    carrier = false;
    keeper.maintain();
    announced.clear();
    carrier = true;
    for (int i = 0; i < 5; i++) {
      keeper.maintain();
    }
    assertThat(announced).hasSize(3);
  }

  /** As a reload does. */
  @Test
  void otherVipsTakeThePlaceOfThoseThatAreNotWantedAnyMore() throws IOException {
    keep(vips(FIRST));
    announced.clear();
    keep(vips(SECOND));
    assertThat(addresses()).containsExactly("10.0.0.51");
    assertThat(announced).containsExactly("10.0.0.51 eth0");
    keep(vips());
    assertThat(addresses()).isEmpty();
  }
}
