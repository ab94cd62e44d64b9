package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.dataplane.nfqueue.FakePackets.Message;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.SendBatch;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.Checksum;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import dev.caplance.packet.TrafficCounter;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.session.SanityDatagram;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A worker between a queue that fails as it is told and a backend on loopback. */
class PacketWorkerTest {

  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress OWN = IpAddresses.parse("198.51.100.8");
  private static final Dataplane.FlowTimeouts TIMEOUTS =
      new Dataplane.FlowTimeouts(Duration.ofHours(1), Duration.ofHours(1), Duration.ofHours(1));
  private static final FlowHash HASH = new FlowHash(new byte[FlowHash.KEY_LENGTH]);
  private static final int ENOENT = 2;
  private static final int MTU = 1500;
  private static final int DATA_PORT = 1337;
  private static final long MINUTE_NANOS = 60_000_000_000L;

  private final FakePackets queue = new FakePackets();
  private final TrafficCounters counters = new TrafficCounters();
  private final List<String> reports = new ArrayList<>();
  private int answers;
  private int fragments;
  private long nanos;
  private LinuxSocket backend;
  private static final Target TARGET = new Target(0, 1, "a", 1, LOOPBACK, MTU, LOOPBACK);

  private Routes routes;
  private PacketWorker worker;

  private final SendBatch.Sink client = sink(count -> answers += count);

  /** Takes the fragments. */
  private final SendBatch.Sink network = sink(count -> fragments += count);

  private static SendBatch.Sink sink(IntConsumer sent) {
    return new SendBatch.Sink() {
      @Override
      public int send(long messages, int count) {
        sent.accept(count);
        return count;
      }

      @Override
      public void close() {}
    };
  }

  private final ReceiveLoop.Owner owner =
      new ReceiveLoop.Owner() {
        @Override
        public void ended(Throwable cause) {
          reports.add("ended " + cause);
        }

        @Override
        public void failing(LinuxException cause) {
          reports.add(cause.getMessage());
        }

        @Override
        public void recovered(String call, long failures) {
          reports.add(call + " works");
        }
      };

  @BeforeEach
  void open() throws Exception {
    backend = LinuxSocket.udp(LOOPBACK, 0);
    backend.setReceiveTimeout(10_000);
    routes = routes(Routes.of(ForwardingTable.empty(HASH, 7)), TARGET);
    SecondsClock clock = new SecondsClock(() -> nanos);
    PacketForwarder forwarder =
        new PacketForwarder(
            new TransmitQueues(256, 0, counters, clock),
            new FragmentQueue(network, null, 0, 1, counters),
            new Responder(client, null, 1000, System::nanoTime),
            new SizeAdvice(MTU));
    Flows flows = new Flows(HASH, new FlowTable(1024, TIMEOUTS));
    PacketWorker.Parts parts = new PacketWorker.Parts(queue, forwarder, flows, counters);
    worker = new PacketWorker(parts, DATA_PORT, clock, owner, routes);
  }

  @AfterEach
  void close() {
    worker.close();
    backend.close();
    assertThat(queue.closed).isTrue();
  }

  private Routes routes(Routes before, Target... targets) throws IOException {
    ServiceSpec spec =
        new ServiceSpec(
            "web",
            VIP,
            Ports.parse("tcp/80").union(Ports.parse("udp/1337")),
            false,
            ServiceSpec.WhenAllUnhealthy.FORWARD,
            ServiceSpec.WhenEmpty.REJECT,
            ServiceSpec.OtherTraffic.HOST);
    Service.Pool pool =
        new Service.Pool(spec, Service.State.BALANCING, List.of(targets), List.of());
    ForwardingTable table =
        ForwardingTable.empty(HASH, 7).next(List.of(pool), AddressSet.of(List.of(VIP, OWN)), false);
    return before.next(table, backend.localPort(), 1);
  }

  private static byte[] syn() {
    return HexFormat.of().parseHex(TestPackets.TCP);
  }

  /** The SYN with other values in its IPv4 header, with a payload, and with right lengths. */
  private static byte[] packet(int sourceLastByte, int destinationPort, int length) {
    ByteBuffer packet = ByteBuffer.allocate(length).put(0, syn());
    packet.putShort(2, (short) length).put(15, (byte) sourceLastByte);
    packet.putShort(6, (short) 0x4000).putShort(22, (short) destinationPort);
    packet.putShort(10, (short) 0);
    return packet.putShort(10, (short) Checksum.of(packet, 0, 20)).array();
  }

  private long count(Disposition disposition) {
    return counters.snapshot().of(disposition);
  }

  private long count(TrafficCounter counter) {
    return counters.snapshot().of(counter);
  }

  @Test
  void packetsGoToTheBackendAndTheirOriginalsAreDropped() {
    queue.batch(Message.of(syn()), Message.of(packet(9, 80, 400)));
    assertThat(worker.carryBatch()).isEqualTo(2);
    try (ReceiveBatch received = ReceiveBatch.ofDatagrams(4, 2048)) {
      List<Integer> lengths = new ArrayList<>();
      while (lengths.size() < 2) {
        int messages = backend.receive(received);
        assertThat(messages).isPositive();
        for (int i = 0; i < messages; i++) {
          lengths.add(received.length(i));
        }
      }
      assertThat(lengths).containsExactlyInAnyOrder(40, 400);
    }
    assertThat(count(Disposition.FORWARD)).isEqualTo(2);
    assertThat(count(TrafficCounter.RECEIVED)).isEqualTo(2);
    assertThat(count(TrafficCounter.VERDICTS)).isEqualTo(1);
    assertThat(queue.drops).isEqualTo(1);
  }

  /** An error number was once taken for a count, which limited the next batch to 8 packets. */
  @Test
  void anIdleMomentDoesNotCapTheNextBatch() {
    assertThat(worker.carryBatch()).isZero();
    queue.failure(Errno.ENOBUFS);
    assertThat(worker.carryBatch()).isZero();
    queue.batch(Message.of(syn()));
    assertThat(worker.carryBatch()).isEqualTo(1);
    assertThat(queue.asked).containsExactly(256, 256, 256);
  }

  @Test
  void whileMostPacketsAreJoinedBatchesAreSmall() {
    queue.batch(Message.joined(packet(7, 80, 5000)));
    worker.carryBatch();
    worker.carryBatch();
    worker.carryBatch();
    assertThat(queue.asked).containsExactly(256, 8, 256);
  }

  @Test
  void aJoinedPacketGoesInSegmentsAndCountsAsThem() {
    queue.batch(Message.joined(packet(7, 80, 5000)));
    assertThat(worker.carryBatch()).isEqualTo(1);
    int segments = (5000 - 40 + 1432 - 1) / 1432;
    assertThat(count(TrafficCounter.RECEIVED)).isEqualTo(segments);
    assertThat(count(Disposition.FORWARD)).isEqualTo(segments);
    assertThat(routes.state(TARGET).traffic().packets()).isEqualTo(segments);
  }

  @Test
  void receiveErrorsAreCountedAndReportedOnceTheyPersist() throws Exception {
    for (int i = 0; i < 3; i++) {
      queue.failure(Errno.ENOBUFS);
      assertThat(worker.carryBatch()).isZero();
    }
    assertThat(count(TrafficCounter.RECEIVE_ERRORS)).isEqualTo(3);
    assertThat(count(TrafficCounter.RECEIVED)).isZero();
    assertThat(reports).isEmpty();
    Thread.sleep(1000);
    queue.failure(Errno.ENOBUFS);
    worker.carryBatch();
    worker.carryBatch();
    assertThat(reports)
        .containsExactly(
            "recvmmsg(NFQUEUE) failed with error(105): No buffer space available",
            "recvmmsg(NFQUEUE) works");
  }

  @Test
  void aRefusedVerdictIsAnErrorAndNotAPacket() throws Exception {
    queue.batch(Message.of(syn()));
    queue.batch(Message.refusal(ENOENT));
    queue.batch(Message.of(syn()));
    queue.batch(Message.refusal(ENOENT), Message.of(syn()));
    worker.carryBatch();
    worker.carryBatch();
    Thread.sleep(1000);
    worker.carryBatch();
    worker.carryBatch();
    assertThat(count(TrafficCounter.RECEIVED)).isEqualTo(3);
    assertThat(count(TrafficCounter.BATCHES)).isEqualTo(3);
    assertThat(count(TrafficCounter.VERDICT_ERRORS)).isEqualTo(2);
    assertThat(reports)
        .containsExactly(
            "sendto(NFQNL_MSG_VERDICT) failed with error(2): No such file or directory");
    queue.batch(Message.of(syn()));
    worker.carryBatch();
    assertThat(reports).hasSize(2).last().isEqualTo("sendto(NFQNL_MSG_VERDICT) works");
  }

  @Test
  void aVerdictThatCannotBeSentIsCounted() {
    queue.dropResult = -Errno.ENOBUFS;
    queue.batch(Message.of(syn()));
    assertThat(worker.carryBatch()).isEqualTo(1);
    assertThat(count(TrafficCounter.VERDICT_ERRORS)).isEqualTo(1);
    assertThat(count(Disposition.FORWARD)).isEqualTo(1);
  }

  @Test
  void whatIsNotForTheServiceIsLeftToTheHostOrDropped() {
    queue.batch(
        Message.of(packet(7, 81, 40)),
        Message.of(packet(8, 80, 40)),
        Message.of(new byte[] {1, 2, 3}),
        Message.cutShort(packet(7, 80, 1400)));
    worker.carryBatch();
    assertThat(count(Disposition.LEFT_TO_HOST)).isEqualTo(1);
    assertThat(queue.accepted).containsExactly(0L);
    assertThat(count(Disposition.OWN_SOURCE)).as("a source that the table refuses").isEqualTo(1);
    assertThat(count(Disposition.MALFORMED)).isEqualTo(1);
    assertThat(count(Disposition.TOO_LARGE)).isEqualTo(1);
    assertThat(queue.drops).isEqualTo(1);
  }

  /** Not in the first half minute, while backends may be registering again. */
  @Test
  void withoutABackendNothingIsSent() throws IOException {
    worker.publish(routes(routes));
    queue.batch(Message.of(syn()));
    worker.carryBatch();
    assertThat(count(Disposition.NO_BACKEND)).isEqualTo(1);
    assertThat(answers).isZero();
  }

  @Test
  void theSenderOfATooBigPacketGetsAReply() {
    queue.batch(Message.of(packet(7, 80, MTU)), Message.of(packet(7, 80, MTU - 28)));
    worker.carryBatch();
    assertThat(count(Disposition.PATH_TOO_NARROW)).isEqualTo(1);
    assertThat(count(Disposition.FORWARD)).isEqualTo(1);
    assertThat(answers).isEqualTo(1);
  }

  private static byte[] datagram(int destinationPort, byte[] payload) {
    int length = 28 + payload.length;
    byte[] header = packet(7, destinationPort, Math.max(length, 40));
    ByteBuffer packet = ByteBuffer.wrap(Arrays.copyOf(header, length)).putShort(2, (short) length);
    packet.putShort(6, (short) 0).put(9, (byte) 17).putShort(10, (short) 0);
    packet.putShort(24, (short) (8 + payload.length)).putShort(26, (short) 0).put(28, payload);
    return packet.putShort(10, (short) Checksum.of(packet, 0, 20)).array();
  }

  /** Without DF, or too large to be told so: the path's MTU counts, not that of the own route. */
  @Test
  void aPacketThatExceedsThePathGoesInFragments() {
    queue.batch(
        Message.of(datagram(1337, new byte[30_000])), Message.of(datagram(1337, new byte[3])));
    worker.carryBatch();
    int bytes = 30_000 + 28 + 8;
    assertThat(fragments).isEqualTo((bytes + 1479) / 1480);
    assertThat(count(Disposition.FORWARD)).isEqualTo(2);
    assertThat(count(TrafficCounter.RECEIVED)).isEqualTo(2);
    assertThat(routes.state(TARGET).traffic()).isEqualTo(new Dataplane.TargetTraffic(2, 30_059));
  }

  /** Two load balancers that are each other's backend send a packet to and fro. */
  @Test
  void whatIsEncapsulatedAlreadyIsNotForwardedAgain() {
    byte[] twice = datagram(1337, datagram(1337, syn()));
    queue.batch(
        Message.of(datagram(1337, syn())),
        Message.of(twice),
        Message.of(datagram(1337, Arrays.copyOf(syn(), 41))),
        Message.of(datagram(1337, new byte[] {0x45})),
        Message.of(datagram(1337, new SanityDatagram("0123abc").format())));
    worker.carryBatch();
    assertThat(count(Disposition.ENCAPSULATED)).isEqualTo(3);
    assertThat(count(Disposition.FORWARD)).as("no packets within").isEqualTo(2);
  }

  private static byte[] flags(int flags) {
    return ByteBuffer.wrap(packet(7, 80, 40)).put(33, (byte) flags).array();
  }

  @Test
  void whenNoBackendIsLeftOpenConnectionsAreResetToo() throws IOException {
    queue.batch(Message.of(flags(TestPackets.SYN)), Message.of(flags(TestPackets.ACK)));
    worker.carryBatch();
    worker.publish(routes(routes));
    nanos = MINUTE_NANOS;
    queue.batch(
        Message.of(flags(TestPackets.ACK)),
        Message.of(flags(TestPackets.FIN)),
        Message.of(flags(TestPackets.SYN)),
        Message.of(flags(TestPackets.RST)));
    worker.carryBatch();
    assertThat(answers).as("a reset is not answered").isEqualTo(3);
    assertThat(count(Disposition.NO_BACKEND)).isEqualTo(4);
  }

  /** Their backend may be about to register again. */
  @Test
  void whileBackendsAreAwaitedOpenConnectionsAreNotReset() throws IOException {
    ForwardingTable table = routes(routes).table;
    Service.Pool pool =
        new Service.Pool(
            table.services().get(0).spec(), Service.State.NO_BACKEND, List.of(), List.of());
    worker.publish(routes.next(table.next(List.of(pool), AddressSet.EMPTY, true), DATA_PORT, 1));
    nanos = MINUTE_NANOS;
    queue.batch(Message.of(flags(TestPackets.ACK)), Message.of(flags(TestPackets.SYN)));
    worker.carryBatch();
    assertThat(answers).isEqualTo(1);
  }

  /** An MTU of 68 leaves no room for data behind the headers; the worker ended. */
  @Test
  void aPathThatIsTooNarrowForHeadersEndsNothing() throws IOException {
    Target narrow = new Target(0, 1, "a", 1, LOOPBACK, 68, LOOPBACK);
    Routes toNarrow = routes(routes, narrow);
    worker.publish(toNarrow);
    queue.batch(Message.joined(packet(7, 80, 5000)), Message.of(packet(7, 80, 548)));
    assertThat(worker.carryBatch()).isEqualTo(2);
    int segments = (5000 - 40 + 507) / 508;
    assertThat(count(Disposition.FORWARD)).isEqualTo(segments + 1);
  }

  /** One that cannot be given back is dropped with its batch, so it does not stay in the queue. */
  @Test
  void aPacketThatCannotBeLeftToTheHostIsNoPacketOfTheHost() {
    queue.acceptResult = -Errno.ENOBUFS;
    queue.batch(Message.of(packet(7, 81, 40)));
    worker.carryBatch();
    assertThat(count(Disposition.LEFT_TO_HOST)).isZero();
    assertThat(count(TrafficCounter.VERDICT_ERRORS)).isEqualTo(1);
    assertThat(queue.drops).isEqualTo(1);
  }
}
