package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cutting and joining TCP packets; golden bytes are those that scapy makes. */
class TcpSegmentsTest {

  private static final String TIMESTAMP = "0101080a0000001100000004";
  private static final String IPV4 = "c63364070a000032";
  private static final String IPV6 =
      "20010db8000000000000000000000007fd000000000000000000000000000050";

  private static final String WHOLE_IPV4 =
      "4528003effff40003f060726" + IPV4 + tcp("fffffffe", "99", "a7d7") + "6162636465666768696a";
  private static final List<String> SEGMENTS_IPV4 =
      List.of(
          "45280038ffff40003f06072c" + IPV4 + tcp("fffffffe", "90", "de1f") + "61626364",
          "45280038000040003f06072c" + IPV4 + tcp("00000002", "10", "d694") + "65666768",
          "45280036000140003f06072d" + IPV4 + tcp("00000006", "19", "39ee") + "696a");

  private static final String WHOLE_IPV6 =
      "62800000002a063f" + IPV6 + tcp("fffffffe", "99", "b133") + "6162636465666768696a";
  private static final List<String> SEGMENTS_IPV6 =
      List.of(
          "628000000024063f" + IPV6 + tcp("fffffffe", "90", "e77b") + "61626364",
          "628000000024063f" + IPV6 + tcp("00000002", "10", "dff0") + "65666768",
          "628000000022063f" + IPV6 + tcp("00000006", "19", "434a") + "696a");

  private final IpHeader header = new IpHeader();
  private final TcpSegmenter segmenter = new TcpSegmenter();
  private final TcpJoiner joiner = new TcpJoiner();
  private int most = 65_535;

  private static String tcp(String sequence, String flags, String checksum) {
    return "9c400050" + sequence + "0000004d80" + flags + "01f5" + checksum + "0000" + TIMESTAMP;
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }

  /** Cuts a packet whose checksum is not there yet. */
  private List<byte[]> cut(byte[] packet, int payload) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(packet.length + 64).put(64, packet);
    assertThat(header.read(buffer, 64, packet.length)).isEqualTo(Disposition.FORWARD);
    assertThat(segmenter.begin(header, buffer, 64, packet.length)).isTrue();
    ByteBuffer target = ByteBuffer.allocateDirect(TcpSegmenter.MAX_HEADER);
    List<byte[]> segments = new ArrayList<>();
    for (int at = 0; at < segmenter.payloadLength(); at += payload) {
      int length = Math.min(payload, segmenter.payloadLength() - at);
      segmenter.writeHeader(segments.size(), at, length, target, 0);
      byte[] segment = new byte[segmenter.headerLength() + length];
      target.get(0, segment, 0, segmenter.headerLength());
      int from = 64 + segmenter.headerLength() + at;
      buffer.get(from, segment, segmenter.headerLength(), length);
      segments.add(segment);
    }
    return segments;
  }

  private static List<String> hex(List<byte[]> packets) {
    return packets.stream().map(HexFormat.of()::formatHex).toList();
  }

  @Test
  void cutsAsTheKernelWould() {
    assertThat(hex(cut(bytes(WHOLE_IPV4.replace("a7d7", "0000")), 4))).isEqualTo(SEGMENTS_IPV4);
    assertThat(hex(cut(bytes(WHOLE_IPV6.replace("b133", "0000")), 4))).isEqualTo(SEGMENTS_IPV6);
  }

  @Test
  void completesAChecksum() {
    for (String golden : List.of(WHOLE_IPV4, WHOLE_IPV6, SEGMENTS_IPV4.get(2))) {
      byte[] packet = bytes(golden);
      int checksum = (golden.startsWith("4") ? Ipv4.MIN_HEADER : Ipv6.HEADER) + 16;
      ByteBuffer buffer = ByteBuffer.wrap(packet).putShort(checksum, (short) 0x1234);
      assertThat(header.read(buffer, 0, packet.length)).isEqualTo(Disposition.FORWARD);
      assertThat(segmenter.begin(header, buffer, 0, packet.length)).isTrue();
      segmenter.completeChecksum();
      assertThat(HexFormat.of().formatHex(packet)).isEqualTo(golden);
    }
  }

  @Test
  void aHeaderThatIsCutShortCannotBeCut() {
    byte[] packet = bytes(SEGMENTS_IPV4.get(0));
    packet[Ipv4.MIN_HEADER + 12] = (byte) 0xf0;
    ByteBuffer buffer = ByteBuffer.wrap(packet);
    assertThat(header.read(buffer, 0, packet.length)).isEqualTo(Disposition.FORWARD);
    assertThat(segmenter.begin(header, buffer, 0, packet.length)).isFalse();
  }

  /** Joins packets that lie behind each other, as far as it goes; how far, and what they become. */
  private byte[] join(List<byte[]> packets, Consumer<ByteBuffer> afterReceipt) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(70_000);
    int end = 0;
    for (byte[] packet : packets) {
      buffer.put(end, packet);
      end += packet.length;
    }
    afterReceipt.accept(buffer);
    int at = packets.get(0).length;
    assertThat(header.read(buffer, 0, at)).isEqualTo(Disposition.FORWARD);
    joiner.begin(header, buffer, 0, at, most);
    List<byte[]> payloads = new ArrayList<>();
    for (byte[] packet : packets.subList(1, packets.size())) {
      header.read(buffer, at, packet.length);
      if (!joiner.join(header, buffer, at, packet.length)) {
        break;
      }
      byte[] payload = new byte[packet.length - joiner.headerLength()];
      buffer.get(at + joiner.headerLength(), payload);
      payloads.add(payload);
      at += packet.length;
    }
    joiner.end();
    ByteBuffer joined = ByteBuffer.allocate(70_000);
    byte[] first = new byte[packets.get(0).length];
    buffer.get(0, first);
    joined.put(first);
    payloads.forEach(joined::put);
    return Arrays.copyOf(joined.array(), joined.position());
  }

  private byte[] join(List<byte[]> packets) {
    return join(packets, unchanged -> {});
  }

  private boolean checksumIsRight(byte[] packet) {
    ByteBuffer buffer = ByteBuffer.wrap(packet);
    if (header.read(buffer, 0, packet.length) != Disposition.FORWARD) {
      return false;
    }
    int tcp = header.upperOffset();
    int length = packet.length - tcp;
    long sum = Transport.pseudoHeader(buffer, header.ipv4(), 0, IpProtocol.TCP, length);
    return Checksum.finish(sum + Checksum.sum(buffer, tcp, length)) == 0;
  }

  /** An upload's packet: ACK, perhaps PSH. */
  private static byte[] packet(SplittableRandom random, boolean ipv4, int payload) {
    int header = ipv4 ? Ipv4.MIN_HEADER : Ipv6.HEADER;
    byte[] packet = new byte[header + 32 + payload];
    random.nextBytes(packet);
    String fixed = ipv4 ? "45280000ffff40003f060000" + IPV4 : "628000000000063f" + IPV6;
    byte[] head = bytes(fixed + tcp("fffffffe", random.nextBoolean() ? "10" : "18", "0000"));
    System.arraycopy(head, 0, packet, 0, head.length);
    ByteBuffer buffer = ByteBuffer.wrap(packet);
    if (ipv4) {
      Ipv4.setTotalLength(buffer, 0, packet.length);
      Ipv4.completeChecksum(buffer, 0);
    } else {
      Ipv6.setPayloadLength(buffer, 0, packet.length - header);
    }
    return packet;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasCutIsJoinedToWhatItWas(boolean ipv4) {
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 200; round++) {
      byte[] packet = packet(random, ipv4, random.nextInt(1, 31_000));
      List<byte[]> segments = cut(packet, 2 * random.nextInt(250, 750));
      assertThat(segments).allMatch(this::checksumIsRight);
      byte[] joined = join(segments);
      assertThat(checksumIsRight(joined)).isTrue();
      int checksum = (ipv4 ? Ipv4.MIN_HEADER : Ipv6.HEADER) + 16;
      ByteBuffer.wrap(packet).putShort(checksum, ByteBuffer.wrap(joined).getShort(checksum));
      assertThat(joined).isEqualTo(packet);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBitThatWasWrongMakesTheJoinedChecksumWrong(boolean ipv4) {
    SplittableRandom random = new SplittableRandom(8);
    for (int round = 0; round < 200; round++) {
      List<byte[]> segments = cut(packet(random, ipv4, 5000), 1000);
      int segment = segments.get(0).length;
      int at = segment * random.nextInt(5) + segment - 1 - random.nextInt(1000);
      int bit = 1 << random.nextInt(8);
      byte[] joined = join(segments, buffer -> buffer.put(at, (byte) (buffer.get(at) ^ bit)));
      assertThat(joined).hasSize(segment + 4000);
      assertThat(checksumIsRight(joined)).isFalse();
    }
  }

  private int joined(List<byte[]> packets) {
    return join(packets).length;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 8, 9, 12, 20, 21, 24, 28, 32, 33, 34, 40, 44, 51})
  void whatDiffersInItsHeaderIsNotJoined(int at) {
    SplittableRandom random = new SplittableRandom(9);
    List<byte[]> segments = new ArrayList<>(cut(packet(random, true, 2000), 1000));
    byte[] second = segments.get(1).clone();
    second[at] ^= 0x10;
    Ipv4.completeChecksum(ByteBuffer.wrap(second), 0);
    assertThat(joined(List.of(segments.get(0), segments.get(1)))).isEqualTo(2052);
    assertThat(joined(List.of(segments.get(0), second))).isEqualTo(1052);
  }

  @Test
  void whatNeverBeganEndsWithoutHarm() {
    joiner.end();
    byte[] packet = bytes(SEGMENTS_IPV4.get(1));
    ByteBuffer buffer = ByteBuffer.wrap(packet);
    header.read(buffer, 0, packet.length);
    assertThat(joiner.join(header, buffer, 0, packet.length)).isFalse();
  }

  @Test
  void aPushOrAShortSegmentIsTheLast() {
    List<byte[]> segments = cut(packet(new SplittableRandom(10), true, 3500), 1000);
    segments.get(1)[33] |= 0x08;
    assertThat(joined(segments)).isEqualTo(2052);
    segments.get(0)[33] |= 0x08;
    assertThat(joined(segments)).isEqualTo(1052);
    segments.get(0)[33] = 0x10;
    segments.get(1)[33] = 0x11;
    assertThat(joined(segments)).isEqualTo(1052);
  }

  @Test
  void aJoinedPacketIsNeverTooLong() {
    List<byte[]> segments = cut(packet(new SplittableRandom(11), true, 60_000), 1000);
    for (int allowed : new int[] {32_000, 31_052, 31_051}) {
      most = allowed;
      assertThat(joined(segments)).isEqualTo(allowed < 31_052 ? 30_052 : 31_052);
    }
  }
}
