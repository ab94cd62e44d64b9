package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.Datagram;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The steps of forwarding one packet. None of them may allocate. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PacketBenchmark {

  private static final int BATCH = 256;
  private static final int GROUP = 16;
  private static final int FLOWS = 1_000_000;
  private static final int NOW = 1;

  /** 64 bytes from 11.0.244.255 to port 80 of 10.0.0.50, ACK. */
  private static final String PACKET =
      "4500004000014000400630860b00f4ff0a0000329c40005000000001000000005010200000000000"
          + "00".repeat(24);

  private static final int FIRST_SOURCE = 0x0b00_f4ff;
  private static final int SOURCE = 12;
  private static final int SOURCE_PORT = 20;
  private static final int DESTINATION_PORT = 22;

  /** Added so many times to the source it gives another one, and the header's checksum stays. */
  private static final int OTHER_SOURCE = 0x0000_ffff;

  private final FlowHash hash = new FlowHash(new byte[FlowHash.KEY_LENGTH]);
  private final IpHeader header = new IpHeader();
  private final FlowKey flow = new FlowKey();
  private final Fingerprint fingerprint = new Fingerprint();
  private final Fingerprint[] group =
      Stream.generate(Fingerprint::new).limit(GROUP).toArray(Fingerprint[]::new);
  private final NativeMemory memory = NativeMemory.allocate(PACKET.length() / 2);
  private final ByteBuffer packet = memory.networkBytes();
  private final Dataplane.FlowTimeouts timeouts =
      new Dataplane.FlowTimeouts(Duration.ofHours(1), Duration.ofHours(1), Duration.ofHours(1));
  private final FlowTable table = new FlowTable(FLOWS, timeouts);

  private static final Target TARGET =
      new Target(
          0,
          1,
          "b1",
          1,
          InetAddress.getLoopbackAddress(),
          65_535,
          InetAddress.getLoopbackAddress());

  private LinuxSocket backend;
  private TargetState target;
  private TransmitQueue queue;
  private final Datagram datagram = new Datagram();
  private int client;
  private int last;
  private int zero;

  /** Opens the sockets and fills the flow table with as many flows as it is for. */
  @Setup
  public void fill() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    backend = LinuxSocket.udp(loopback, 0);
    target = new TargetState(TARGET, backend.localPort(), 1);
    queue =
        TransmitQueue.open(
            InetAddress.getByName("0.0.0.0"), BATCH, 0, new TrafficCounters(), new SecondsClock());
    packet.put(0, HexFormat.of().parseHex(PACKET));
    for (int i = 0; i < FLOWS; i++) {
      nextClient();
      table.store(fingerprint, TARGET.id(), false, NOW);
    }
    if (table.count() < FLOWS / 5 * 4) {
      throw new IllegalStateException("no more than " + table.count() + " flows were stored");
    }
  }

  /** Closes what {@link #fill} opened. */
  @TearDown
  public void close() {
    queue.close();
    backend.close();
    table.close();
    memory.close();
  }

  /**
   * The fingerprint of the next packet; all clients have their turns. Which one it is depends on
   * the result of the one before, though only in form, so that the processor cannot begin with one
   * packet while it waits for the memory of another.
   */
  private void nextClient() {
    nextPacket();
    hash.of(flow, fingerprint);
  }

  private void nextPacket() {
    client = client + 1 == FLOWS ? 0 : client + 1;
    int number = client + (last & zero);
    packet.putInt(SOURCE, FIRST_SOURCE + (number >>> 16) * OTHER_SOURCE);
    packet.putShort(SOURCE_PORT, (short) number);
    parse();
  }

  /** The two headers. */
  @Benchmark
  public Disposition parse() {
    Disposition disposition = header.read(packet, 0, packet.capacity());
    return disposition == Disposition.FORWARD ? flow.read(header, packet) : disposition;
  }

  /** The fingerprint of the flow, 128 bits. */
  @Benchmark
  public long hash() {
    hash.of(flow, fingerprint);
    return fingerprint.low();
  }

  /** Parse, hash, and look for the flow among all. */
  @Benchmark
  public int parseHashAndFind() {
    nextClient();
    last = table.find(fingerprint, NOW);
    return last;
  }

  /**
   * The same for a group of packets, as a worker does it: first fingerprints, then memory, then
   * find.
   */
  @Benchmark
  @OperationsPerInvocation(GROUP)
  public int parseHashAndFindInGroups() {
    fingerprintGroup();
    long read = 0;
    for (Fingerprint one : group) {
      read ^= table.prefetch(one);
    }
    int entry = (int) read & zero;
    for (Fingerprint one : group) {
      entry += table.find(one, NOW);
    }
    last = entry;
    return entry;
  }

  /** Parse and hash of a group, to be taken off {@link #parseHashAndFindInGroups}. */
  @Benchmark
  @OperationsPerInvocation(GROUP)
  public int parseAndHashInGroups() {
    fingerprintGroup();
    last = (int) group[GROUP - 1].low();
    return last;
  }

  private void fingerprintGroup() {
    for (Fingerprint one : group) {
      nextPacket();
      hash.of(flow, one);
    }
  }

  /** Parse and hash of the one after the other, to be taken off {@link #parseHashAndFind}. */
  @Benchmark
  public int parseAndHash() {
    nextClient();
    last = (int) fingerprint.low();
    return last;
  }

  /** Parse and hash, and store a flow of a client that was never seen in a table that is full. */
  @Benchmark
  public boolean parseHashAndStore() {
    packet.putShort(DESTINATION_PORT, (short) client);
    nextClient();
    return table.store(fingerprint, TARGET.id(), false, NOW);
  }

  /** Encapsulation: GSO batches, which the kernel takes with one call, through loopback. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void encapsulate() {
    for (int i = 0; i < BATCH; i++) {
      queue.add(datagram.set(memory.address(), packet.capacity()), target, 0);
    }
    queue.flush();
  }
}
