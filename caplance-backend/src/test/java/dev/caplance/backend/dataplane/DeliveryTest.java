package dev.caplance.backend.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.linux.Errno;
import dev.caplance.linux.LocalEntrance;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.Checksum;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TrafficCounters;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Segments of one connection through entrances that fail as they are told. */
class DeliveryTest {

  /** From port 40000 of 198.51.100.7 to port 80 of 10.0.0.50, DF, ACK, no payload. */
  private static final String ACK =
      "450000280001400040060000c63364070a0000329c40005000000001000000005010020000000000";

  private static final SocketAddress VIP = SocketAddress.of(IpAddresses.parse("10.0.0.50"), 0);
  private static final int HEADERS = 40;
  private static final int PAYLOAD = 100;
  private static final int LENGTH = HEADERS + PAYLOAD;
  private static final int CAPACITY = 4;

  private final NativeMemory memory = NativeMemory.allocate(256 * LENGTH);
  private final ByteBuffer bytes = memory.networkBytes();
  private final IpHeader header = new IpHeader();
  private final TrafficCounters counters = new TrafficCounters();
  private final FakeSink link = new FakeSink();
  private final FakeSink raw = new FakeSink();
  private Delivery delivery = delivery(true);
  private int used;

  private Delivery delivery(boolean joins) {
    return new Delivery(
        new LocalEntrance(link, CAPACITY, 65_535),
        new LocalEntrance(raw, CAPACITY, 65_535),
        CAPACITY,
        joins,
        counters);
  }

  @AfterEach
  void close() {
    delivery.close();
    assertThat(link.closed && raw.closed).isTrue();
    memory.close();
  }

  private void withoutJoining() {
    delivery.close();
    delivery = delivery(false);
  }

  /** Adds a segment; one whose number follows that of the last belongs behind it. */
  private void add(int number) {
    int at = used++ * LENGTH;
    bytes.put(at, HexFormat.of().parseHex(ACK));
    bytes.putShort(at + 2, (short) LENGTH).putInt(at + 24, 1 + number * PAYLOAD);
    bytes.putShort(at + 10, (short) Checksum.of(bytes, at, 20));
    assertThat(header.read(bytes, at, LENGTH)).isEqualTo(Disposition.FORWARD);
    delivery.add(header, bytes, at, LENGTH, memory.address(), VIP);
  }

  private void addSegments(int count) {
    for (int i = 0; i < count; i++) {
      add(i);
    }
  }

  private void deliver() {
    delivery.flush();
    used = 0;
  }

  private long count(Disposition disposition) {
    return counters.snapshot().of(disposition);
  }

  @Test
  void segmentsThatFollowEachOtherGoAsOnePacketAndCountAsTheyCame() {
    addSegments(10);
    add(50);
    deliver();
    assertThat(link.counts).containsExactly(2);
    assertThat(count(Disposition.FORWARD)).isEqualTo(11);
    assertThat(counters.snapshot().bytes()).isEqualTo(11 * LENGTH);
    assertThat(raw.counts).isEmpty();
  }

  @Test
  void noPacketHasMorePiecesThanAMessageHasRoomFor() {
    addSegments(150);
    deliver();
    assertThat(link.counts).containsExactly(3); // 64 + 64 + 22
    assertThat(count(Disposition.FORWARD)).isEqualTo(150);
  }

  @Test
  void aFullBatchIsDeliveredAtOnce() {
    withoutJoining();
    addSegments(2 * CAPACITY + 1);
    assertThat(link.counts).containsExactly(CAPACITY, CAPACITY);
    deliver();
    assertThat(link.counts).containsExactly(CAPACITY, CAPACITY, 1);
    assertThat(count(Disposition.FORWARD)).isEqualTo(2 * CAPACITY + 1);
  }

  @Test
  void whatIsRefusedIsCountedAndTheRestDelivered() {
    link.errors.add(Errno.ENOBUFS);
    addSegments(3);
    add(50);
    deliver();
    assertThat(count(Disposition.SEND_FAILED)).isEqualTo(3);
    assertThat(count(Disposition.FORWARD)).isEqualTo(1);
    addSegments(3);
    deliver();
    assertThat(link.counts).as("joined as before").containsExactly(1, 1);
  }

  @Test
  void joiningEndsWhereJoinedPacketsDoNotFit() {
    link.errors.add(Errno.EMSGSIZE);
    addSegments(3);
    deliver();
    assertThat(count(Disposition.SEND_FAILED)).isEqualTo(3);
    addSegments(3);
    deliver();
    assertThat(link.counts).containsExactly(3);
    assertThat(count(Disposition.FORWARD)).isEqualTo(3);
  }

  @Test
  void aLonePacketThatDoesNotFitSaysNothingAboutJoining() {
    link.errors.add(Errno.EMSGSIZE);
    add(0);
    deliver();
    addSegments(3);
    deliver();
    assertThat(link.counts).containsExactly(1);
  }

  @Test
  void aPathProbeTakesTheSameEntranceAndIsNoPacketOfAClient() {
    add(0);
    assertThat(header.read(bytes, 0, LENGTH)).isEqualTo(Disposition.FORWARD);
    delivery.deliverProbe(header, 0, LENGTH, memory.address(), VIP);
    assertThat(link.counts).as("the packet before it, then the probe").containsExactly(1, 1);
    delivery.setLinkShut(true);
    raw.errors.add(Errno.ENOBUFS);
    delivery.deliverProbe(header, 0, LENGTH, memory.address(), VIP);
    delivery.deliverProbe(header, 0, LENGTH, memory.address(), VIP);
    assertThat(raw.counts).containsExactly(1);
    assertThat(count(Disposition.PATH_PROBE)).isEqualTo(2);
    assertThat(count(Disposition.SEND_FAILED)).isEqualTo(1);
    assertThat(count(Disposition.FORWARD)).isEqualTo(1);
    assertThat(counters.snapshot().bytes()).isEqualTo(LENGTH);
  }

  @Test
  void whileTheLinkIsShutPacketsGoThroughTheRawSocket() {
    add(0);
    delivery.setLinkShut(true);
    deliver();
    assertThat(link.counts).as("what waited already").containsExactly(1);
    add(0);
    deliver();
    assertThat(raw.counts).containsExactly(1);
    delivery.setLinkShut(false);
    add(0);
    deliver();
    assertThat(link.counts).containsExactly(1, 1);
    assertThat(count(Disposition.FORWARD)).isEqualTo(3);
  }
}
