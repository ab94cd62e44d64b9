package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VipAddressesIT {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress VIP6 = IpAddresses.parse("fd00::50");

  private static final Map<InetAddress, Optional<String>> BOTH =
      Map.of(VIP, Optional.of("eth0"), VIP6, Optional.of("eth1"));

  @TempDir private Path directory;
  private TestNamespace here;
  private final List<TestNamespace> namespaces = new ArrayList<>();

  /** A run of the daemon; to close it without detaching is a crash. */
  private final class Run implements AutoCloseable {

    final Journal journal = Journal.open(directory, "lb");
    final VipAddresses vips = new VipAddresses(journal, here.commands());

    Run() throws IOException {}

    @Override
    public void close() throws IOException {
      journal.close();
    }
  }

  @BeforeEach
  void makeNetwork() throws IOException {
    here = makeNamespace();
    TestNamespace there = makeNamespace();
    here.connect("eth0", "10.0.0.2/24", there, "10.0.0.3/24");
    here.connect("eth1", "fd00::2/64", there, "fd00::3/64");
  }

  private static Map<InetAddress, Optional<String>> on(String device, InetAddress vip) {
    return Map.of(vip, Optional.of(device));
  }

  private TestNamespace makeNamespace() throws IOException {
    TestNamespace namespace = TestNamespace.create();
    namespaces.add(namespace);
    return namespace;
  }

  @AfterEach
  void removeNetwork() throws IOException {
    for (TestNamespace namespace : namespaces) {
      namespace.close();
    }
  }

  @Test
  void addsAddressesWhereTheirNetworkIsAndRemovesThem() throws IOException {
    try (Run run = new Run()) {
      assertThat(run.vips.apply(Map.of(VIP, Optional.empty(), VIP6, Optional.empty())))
          .isEqualTo(Map.of(VIP, "eth0", VIP6, "eth1"));
      assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24", "10.0.0.50/32");
      assertThat(here.addresses("eth1")).containsExactlyInAnyOrder("fd00::2/64", "fd00::50/128");
      run.vips.detachAll();
    }
    assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24");
    assertThat(here.addresses("eth1")).containsExactly("fd00::2/64");
    assertThat(directory.resolve("lb.journal")).isEmptyFile();
  }

  @Test
  void anIpv6VipIsUsableAtOnceAndNeverASourceAddress() throws IOException {
    try (Run run = new Run()) {
      run.vips.apply(on("eth1", VIP6));
      assertThat(here.run("ip", "-o", "address", "show", "to", "fd00::50"))
          .contains("deprecated")
          .contains("nodad")
          .doesNotContain("tentative");
      assertThat(here.run("ip", "route", "get", "fd00::3")).contains("src fd00::2 ");
      run.vips.detachAll();
    }
  }

  @Test
  void anAddressThatWasThereBeforeStays() throws IOException {
    here.run("ip", "address", "add", "10.0.0.50/24", "dev", "eth0");
    try (Run run = new Run()) {
      run.vips.apply(on("eth0", VIP));
      run.vips.detachAll();
    }
    assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24", "10.0.0.50/24");
  }

  @Test
  void anAddressOnAnotherDeviceIsNotInTheWay() throws IOException {
    here.run("ip", "address", "add", "10.0.0.50/32", "dev", "eth1");
    try (Run run = new Run()) {
      run.vips.apply(on("lo", VIP));
      assertThat(here.addresses("lo")).contains("10.0.0.50/32");
      run.vips.detachAll();
    }
    assertThat(here.addresses("lo")).doesNotContain("10.0.0.50/32");
    assertThat(here.addresses("eth1")).contains("10.0.0.50/32");
  }

  @Test
  void afterACrashAWantedAddressIsTakenOverAndRemovedAtTheEnd() throws IOException {
    try (Run run = new Run()) {
      run.vips.apply(on("eth0", VIP));
    }
    try (Run run = new Run()) {
      run.vips.retain(List.of(VIP));
      assertThat(here.addresses("eth0")).contains("10.0.0.50/32");
      run.vips.apply(on("eth0", VIP));
      run.vips.detachAll();
    }
    assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24");
  }

  @Test
  void afterACrashAnUnwantedAddressIsRemoved() throws IOException {
    try (Run run = new Run()) {
      run.vips.apply(BOTH);
    }
    try (Run run = new Run()) {
      run.vips.retain(List.of(VIP6));
      assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24");
      assertThat(here.addresses("eth1")).contains("fd00::50/128");
      run.vips.detachAll();
    }
  }

  @Test
  void afterACrashAnAddressMovesToTheDeviceThatIsWantedNow() throws IOException {
    try (Run run = new Run()) {
      run.vips.apply(on("eth1", VIP));
    }
    try (Run run = new Run()) {
      run.vips.retain(List.of(VIP));
      run.vips.apply(on("eth0", VIP));
      assertThat(here.addresses("eth0")).contains("10.0.0.50/32");
      assertThat(here.addresses("eth1")).doesNotContain("10.0.0.50/32");
      run.vips.detachAll();
    }
    assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24");
  }

  @Test
  void aCrashBeforeTheAddressWasAddedDoesNoHarm() throws IOException {
    try (Run run = new Run()) {
      run.journal.add(new MachineChange.Address(VIP, "eth0"));
      run.journal.add(new MachineChange.Address(IpAddresses.parse("10.0.0.51"), "eth0"));
    }
    try (Run run = new Run()) {
      run.vips.retain(List.of(VIP));
      run.vips.apply(on("eth0", VIP));
      assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24", "10.0.0.50/32");
      run.vips.detachAll();
    }
    assertThat(directory.resolve("lb.journal")).isEmptyFile();
  }

  @Test
  void whatSomethingElseRemovedIsPutBack() throws IOException {
    try (Run run = new Run()) {
      run.vips.apply(BOTH);
      List<InetAddress> restored = new ArrayList<>();
      run.vips.restoreMissing(restored::add);
      assertThat(restored).isEmpty();
      here.run("ip", "address", "flush", "dev", "eth0");
      run.vips.restoreMissing(restored::add);
      assertThat(restored).containsExactly(VIP);
      assertThat(here.addresses("eth0")).containsExactly("10.0.0.50/32");
      run.vips.detachAll();
    }
  }

  @Test
  void laterCallsChangeOnlyWhatIsDifferent() throws IOException {
    try (Run run = new Run()) {
      run.vips.apply(on("eth0", VIP));
      run.vips.apply(BOTH);
      assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24", "10.0.0.50/32");
      assertThat(here.addresses("eth1")).contains("fd00::50/128");
      run.vips.apply(on("eth1", VIP6));
      assertThat(here.addresses("eth0")).containsExactly("10.0.0.2/24");
      run.vips.apply(on("eth0", VIP6));
      assertThat(here.addresses("eth0")).contains("fd00::50/128");
      assertThat(here.addresses("eth1")).containsExactly("fd00::2/64");
      run.vips.detachAll();
    }
    assertThat(directory.resolve("lb.journal")).isEmptyFile();
  }

  @Test
  void anAddressOrDeviceThatIsGoneIsNoObstacleAtTheEnd() throws IOException {
    try (Run run = new Run()) {
      run.vips.apply(BOTH);
      here.run("ip", "address", "delete", "10.0.0.50/32", "dev", "eth0");
      here.run("ip", "link", "delete", "eth1");
      run.vips.detachAll();
    }
    assertThat(directory.resolve("lb.journal")).isEmptyFile();
  }

  @Test
  void aDeviceThatDoesNotExistIsAnErrorAndLeavesNothing() throws IOException {
    try (Run run = new Run()) {
      assertThatThrownBy(() -> run.vips.apply(on("eth7", VIP)))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "there is no network interface 'eth7'; set 'interface' in the configuration to one of"
                  + " lo, eth0, eth1");
      assertThat(run.journal.changes(MachineChange.class)).isEmpty();
    }
  }

  @Test
  void withoutTheRightToItTheErrorSaysSo() throws IOException {
    CommandRunner nobody = here.commands(List.of("setpriv", "--reuid=65534", "--clear-groups"));
    try (Journal journal = Journal.open(directory, "lb")) {
      VipAddresses vips = new VipAddresses(journal, nobody);
      assertThatThrownBy(() -> vips.apply(on("eth0", VIP)))
          .isInstanceOf(CommandException.class)
          .hasMessageStartingWith("'ip address add 10.0.0.50/32 dev eth0' failed: ")
          .hasMessageEndingWith("(needs root, or the capability CAP_NET_ADMIN)");
      vips.detachAll();
    }
    assertThat(directory.resolve("lb.journal")).isEmptyFile();
  }
}
