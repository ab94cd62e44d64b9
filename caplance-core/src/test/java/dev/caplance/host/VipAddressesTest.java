package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong; the rest is tested on real interfaces by {@link VipAddressesIT}. */
class VipAddressesTest {

  private static final InetAddress FIRST = IpAddresses.parse("10.0.0.50");
  private static final InetAddress SECOND = IpAddresses.parse("10.0.0.51");
  private static final InetAddress THIRD = IpAddresses.parse("10.0.0.52");
  private static final InetAddress ELSEWHERE = IpAddresses.parse("192.0.2.1");

  @TempDir private Path directory;
  @TempDir private Path runDirectory;
  private FakeIp ip;
  private Journal journal;
  private VipAddresses vips;

  @BeforeEach
  void open() throws IOException {
    ip = new FakeIp(directory);
    start();
  }

  private void start() throws IOException {
    journal = Journal.open(runDirectory, "lb");
    vips = new VipAddresses(journal, ip.commands());
  }

  /** What was not undone is left. */
  private void crashAndStart() throws IOException {
    journal.close();
    start();
  }

  @AfterEach
  void close() throws IOException {
    journal.close();
  }

  private static Map<InetAddress, Optional<String>> wanted(InetAddress... vips) {
    Map<InetAddress, Optional<String>> wanted = new LinkedHashMap<>();
    for (InetAddress vip : vips) {
      wanted.put(vip, Optional.empty());
    }
    return wanted;
  }

  @Test
  void anAddressThatCannotBeAddedKeepsNoOtherFromBeingAdded() throws IOException {
    ip.fail("10.0.0.50/32");
    assertThatThrownBy(() -> vips.apply(wanted(FIRST, ELSEWHERE, SECOND)))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            "192.0.2.1 is not in any network of this machine (eth0 10.0.0.2/24, ")
        .satisfies(
            failure ->
                assertThat(failure.getSuppressed())
                    .singleElement()
                    .hasToString(
                        CommandException.class.getName()
                            + ": 'ip address add 10.0.0.50/32 dev eth0' failed: Error: no such luck."));
    assertThat(ip.addresses("eth0")).containsExactly("10.0.0.2/24", "10.0.0.51/32");
    ip.mend("10.0.0.50/32");
    assertThat(vips.apply(wanted(FIRST, SECOND))).isEqualTo(Map.of(FIRST, "eth0", SECOND, "eth0"));
    assertThat(ip.log())
        .containsExactly("add 10.0.0.50/32 eth0", "add 10.0.0.51/32 eth0", "add 10.0.0.50/32 eth0");
  }

  @Test
  void anAddressThatCannotBeRemovedStaysOursAndKeepsNoOtherFromBeingRemoved() throws IOException {
    vips.apply(wanted(FIRST, SECOND, THIRD));
    ip.fail("10.0.0.51/32");
    assertThatThrownBy(() -> vips.detachAll())
        .isInstanceOf(CommandException.class)
        .hasMessageStartingWith("'ip address delete 10.0.0.51/32 dev eth0' failed");
    assertThat(ip.addresses("eth0")).containsExactly("10.0.0.2/24", "10.0.0.51/32");
    ip.mend("10.0.0.51/32");
    crashAndStart();
    vips.retain(List.of());
    assertThat(ip.addresses("eth0")).containsExactly("10.0.0.2/24");
  }

  @Test
  void addressesAreRemovedInTheOppositeOrder() throws IOException {
    vips.apply(wanted(FIRST, SECOND));
    vips.detachAll();
    assertThat(ip.log().subList(2, 4))
        .containsExactly("delete 10.0.0.51/32 eth0", "delete 10.0.0.50/32 eth0");
  }

  @Test
  void anAddressOfACrashedRunStaysWhenNobodyKnowsWhereItBelongs() throws IOException {
    vips.apply(wanted(FIRST));
    crashAndStart();
    ip.delete("eth0", "10.0.0.2/24");
    assertThatThrownBy(() -> vips.apply(wanted(FIRST))).isInstanceOf(IOException.class);
    assertThat(ip.addresses("eth0")).containsExactly("10.0.0.50/32");
    ip.put("eth1", "10.0.0.2/24");
    assertThat(vips.apply(wanted(FIRST))).containsExactly(Map.entry(FIRST, "eth1"));
    assertThat(ip.addresses("eth0")).isEmpty();
  }

  @Test
  void retainAddsNothing() throws IOException {
    vips.apply(wanted(FIRST, SECOND));
    crashAndStart();
    vips.retain(List.of(SECOND, THIRD));
    assertThat(ip.addresses("eth0")).containsExactly("10.0.0.2/24", "10.0.0.51/32");
  }

  @Test
  void anAddressThatCannotBePutBackKeepsNoOtherFromIt() throws IOException {
    vips.apply(wanted(FIRST, SECOND));
    ip.delete("eth0", "10.0.0.50/32");
    ip.delete("eth0", "10.0.0.51/32");
    ip.fail("10.0.0.50/32");
    List<InetAddress> restored = new ArrayList<>();
    assertThatThrownBy(() -> vips.restoreMissing(restored::add))
        .isInstanceOf(CommandException.class);
    assertThat(restored).containsExactly(SECOND);
    ip.mend("10.0.0.50/32");
    vips.restoreMissing(restored::add);
    assertThat(restored).containsExactly(SECOND, FIRST);
  }

  @Test
  void withoutAnyAddressNothingIsRun() throws IOException {
    VipAddresses withoutIp =
        new VipAddresses(journal, new CommandRunner(List.of("/no/such/ip"), Duration.ofSeconds(1)));
    assertThat(withoutIp.apply(Map.of())).isEmpty();
    withoutIp.retain(List.of());
    withoutIp.restoreMissing(vip -> {});
    withoutIp.detachAll();
    assertThat(journal.changes(MachineChange.class)).isEmpty();
  }
}
