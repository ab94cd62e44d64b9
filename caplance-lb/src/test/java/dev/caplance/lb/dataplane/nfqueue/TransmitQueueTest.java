package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.Datagram;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Packets to sockets on loopback, which stand for backends. */
class TransmitQueueTest {

  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
  private static final int PACKETS = 256;
  private static final int SLOT = 2048;
  private static final int MTU = 65_535;

  private final List<LinuxSocket> backends = new ArrayList<>();
  private final List<TargetState> targets = new ArrayList<>();
  private final TrafficCounters counters = new TrafficCounters();
  private final NativeMemory packets = NativeMemory.allocate(PACKETS * SLOT);
  private final ReceiveBatch batch = ReceiveBatch.ofDatagrams(PACKETS, 65_536);
  private final Datagram datagram = new Datagram();
  private TransmitQueue queue;

  @BeforeEach
  void open() throws Exception {
    queue =
        TransmitQueue.open(IpAddresses.parse("0.0.0.0"), PACKETS, 0, counters, new SecondsClock());
    for (int i = 0; i < 3; i++) {
      LinuxSocket backend = LinuxSocket.udp(LOOPBACK, 0);
      backend.setReceiveTimeout(10_000);
      backend.enableGro();
      backends.add(backend);
      targets.add(
          new TargetState(
              new Target(i, 1, "b" + i, 1, LOOPBACK, MTU, LOOPBACK), backend.localPort(), 1));
    }
  }

  @AfterEach
  void close() {
    queue.close();
    backends.forEach(LinuxSocket::close);
    packets.close();
    batch.close();
  }

  /** Adds packet {@code number}, which carries its number. */
  private void add(int number, int length, int target, int trafficClass) {
    packets.networkBytes().putInt(number * SLOT, number);
    queue.add(
        datagram.set(packets.address() + (long) number * SLOT, length),
        targets.get(target),
        trafficClass);
  }

  private record Received(List<String> datagrams, int messages) {}

  /** Takes so many datagrams as "number/length", in order. */
  private Received receive(int target, int expected) {
    List<String> datagrams = new ArrayList<>();
    int messages = 0;
    ByteBuffer bytes = batch.bytes();
    while (datagrams.size() < expected) {
      int count = backends.get(target).receive(batch);
      assertThat(count).isPositive();
      messages += count;
      for (int i = 0; i < count; i++) {
        int end = batch.offset(i) + batch.length(i);
        for (int at = batch.offset(i); at < end; at += batch.datagramSize(i)) {
          datagrams.add(bytes.getInt(at) + "/" + Math.min(batch.datagramSize(i), end - at));
        }
      }
    }
    return new Received(datagrams, messages);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void everyPacketArrivesUnchangedAndInOrder(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<List<String>> sent = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < PACKETS; i++) {
      int length = random.nextInt(4) > 0 ? 1400 : random.nextInt(20, 1500);
      int target = random.nextInt(3);
      add(i, length, target, random.nextInt(10) == 0 ? 0xb8 : 0);
      sent.get(target).add(i + "/" + length);
    }
    queue.flush();
    for (int i = 0; i < 3; i++) {
      assertThat(receive(i, sent.get(i).size()).datagrams).isEqualTo(sent.get(i));
      assertThat(targets.get(i).traffic().packets()).isEqualTo(sent.get(i).size());
    }
    assertThat(counters.snapshot().of(Disposition.FORWARD)).isEqualTo(PACKETS);
  }

  @Test
  void packetsOfOneSizeBecomeAGsoBatch() {
    for (int i = 0; i < 180; i++) {
      add(i, 64, i % 3, 0);
    }
    queue.flush();
    assertThat(receive(1, 60).messages).isEqualTo(1);
  }

  @Test
  void aGsoBatchEndsAtTheLimitOfTheKernel() {
    for (int i = 0; i < 150; i++) {
      add(i, 1000, 0, 0);
    }
    queue.flush();
    Received received = receive(0, 150);
    assertThat(received.datagrams).hasSize(150).doesNotHaveDuplicates();
    assertThat(received.messages).isEqualTo(3); // 64 are the most in one
    assertThat(targets.get(0).acceptsGso(0)).isTrue();
  }

  @Test
  void afterARefusalPacketsAreSentOneByOneForAWhile() {
    targets.get(0).refuseGso(0);
    assertThat(targets.get(0).acceptsGso(29)).isFalse();
    assertThat(targets.get(0).acceptsGso(30)).isTrue();
    for (int i = 0; i < 10; i++) {
      add(i, 64, 0, 0);
    }
    queue.flush();
    assertThat(receive(0, 10).messages).isEqualTo(10);
  }
}
