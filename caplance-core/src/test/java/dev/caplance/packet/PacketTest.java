package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The golden packets were made with Scapy. */
class PacketTest {

  private static final String UDP =
      "45b800211234000040113374c63364070a0000329c400035000deb1f68656c6c6f";
  private static final String TCP =
      "450000280001400040060663c63364070a0000329c400050000000010000000050022000bee40000";
  private static final String TCP_WITH_IP_OPTIONS =
      "470000300001000040063954c63364070a00003207070400000000009c400050000000010000000050022000"
          + "bee40000";
  private static final String FRAGMENTATION_NEEDED =
      "450000380002000040013490cb0071010a00003203045aec00000578450005dc00094000400600a70a000032"
          + "c633640700509c4000000007";
  private static final String ECHO = "4500001d00020000400134abcb0071010a00003208007fff0000000078";
  private static final String FRAGMENT =
      "45000024000220b9401125a2c63364070a000032000100020010fa893132333435363738";
  private static final String FROM_LOOPBACK =
      "4500001c000100004011f19d7f0000010a00003200010002000876a8";
  private static final String UDP6 =
      "6b800000000d114020010db800000000000000000000000720010db80000000000000000000000509c400035"
          + "000dc3c368656c6c6f";
  private static final String PACKET_TOO_BIG =
      "6000000000443a4020010db800010000000000000000000120010db80000000000000000000000500200360b"
          + "00000578600000000014064020010db800000000000000000000005020010db8000000000000000000000007"
          + "00509c40000000000000000050102000977b0000";

  /** Hop-by-hop, routing, an atomic fragment header and destination options before UDP. */
  private static final String UDP6_WITH_EXTENSIONS =
      "600000000035004020010db800000000000000000000000720010db8000000000000000000000050"
          + "2b000104000000002c000000000000003c000000000000051101010c000000000000000000000000"
          + "9c400035000dc3c368656c6c6f";

  private static final String FRAGMENT6 =
      "6000000000182c4020010db800000000000000000000000720010db8000000000000000000000050"
          + "11000001000000059c40003500108c4f68656c6c6f363738";

  private final IpHeader header = new IpHeader();
  private final FlowKey flow = new FlowKey();

  /** Packets lie somewhere in a large buffer, with other bytes before and after. */
  private Disposition read(byte[] packet) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(packet.length + 200);
    for (int i = 0; i < buffer.capacity(); i++) {
      buffer.put(i, (byte) 0xee);
    }
    int at = 99;
    buffer.put(at, packet);
    Disposition verdict = header.read(buffer, at, packet.length);
    return verdict == Disposition.FORWARD ? flow.read(header, buffer) : verdict;
  }

  private Disposition read(String hex) {
    return read(HexFormat.of().parseHex(hex));
  }

  private String flowText() {
    return "%d %x:%x:%d > %x:%x:%d"
        .formatted(
            flow.protocol(),
            flow.sourceHigh(),
            flow.sourceLow(),
            flow.sourcePort(),
            flow.destinationHigh(),
            flow.destinationLow(),
            flow.destinationPort());
  }

  static Stream<Arguments> packetsWithFlows() {
    String v4 = "0:ffffc6336407:40000 > 0:ffff0a000032:";
    String v6 = "20010db800000000:7:40000 > 20010db800000000:50:";
    return Stream.of(
        Arguments.of(UDP, "17 " + v4 + "53", 0xb8),
        Arguments.of(TCP, "6 " + v4 + "80", 0),
        Arguments.of(TCP_WITH_IP_OPTIONS, "6 " + v4 + "80", 0),
        Arguments.of(FRAGMENTATION_NEEDED, "6 " + v4 + "80", 0),
        Arguments.of(UDP6, "17 " + v6 + "53", 0xb8),
        Arguments.of(UDP6_WITH_EXTENSIONS, "17 " + v6 + "53", 0),
        Arguments.of(PACKET_TOO_BIG, "6 " + v6 + "80", 0));
  }

  @ParameterizedTest
  @MethodSource("packetsWithFlows")
  void readsTheFlow(String hex, String expected, int trafficClass) {
    assertThat(read(hex)).isEqualTo(Disposition.FORWARD);
    assertThat(flowText()).isEqualTo(expected);
    assertThat(header.trafficClass()).isEqualTo(trafficClass);
  }

  @Test
  void anErrorBelongsToTheFlowThatItQuotesButComesFromElsewhere() {
    read(FRAGMENTATION_NEEDED);
    assertThat(header.sourceLow()).isEqualTo(0xffffcb007101L);
    assertThat(header.destinationLow()).isEqualTo(0xffff0a000032L);
    assertThat(flow.isError()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"3, 20", "11, 20", "12, 20", "1, 40", "2, 40", "3, 40", "4, 40"})
  void everyKindOfErrorBelongsToAFlow(int type, int ipHeader) {
    byte[] packet = HexFormat.of().parseHex(ipHeader == 20 ? FRAGMENTATION_NEEDED : PACKET_TOO_BIG);
    packet[ipHeader] = (byte) type;
    assertThat(read(packet)).isEqualTo(Disposition.FORWARD);
    assertThat(flow.isError()).isTrue();
    assertThat(flow.sourcePort()).isEqualTo(40000);
  }

  /** Routers may quote no more than eight bytes behind the IP header, and the ports are in four. */
  @ParameterizedTest
  @CsvSource({FRAGMENTATION_NEEDED + ", 28, 52", PACKET_TOO_BIG + ", 48, 92"})
  void aQuoteThatIsTooShortHasNoFlow(String hex, int quote, int portsEnd) {
    byte[] packet = HexFormat.of().parseHex(hex);
    for (int length = quote; length <= packet.length; length++) {
      byte[] cut = Arrays.copyOf(packet, length);
      setLength(cut);
      assertThat(read(cut))
          .as("%s bytes", length)
          .isEqualTo(length < portsEnd ? Disposition.LEFT_TO_HOST : Disposition.FORWARD);
    }
  }

  private static void setLength(byte[] packet) {
    boolean ipv4 = packet[0] >>> 4 == 4;
    ByteBuffer.wrap(packet)
        .putShort(ipv4 ? 2 : 4, (short) (ipv4 ? packet.length : packet.length - 40));
    repairIpv4Checksum(packet);
  }

  /** Of a packet that was cut, the first fragment has the ports; what others have is payload. */
  @Test
  void anErrorAboutAFragmentBelongsToAFlowWhenItHasThePorts() {
    String firstFragment = FRAGMENTATION_NEEDED.replace("000940004006", "000920004006");
    String laterFragment = FRAGMENTATION_NEEDED.replace("000940004006", "000920b94006");
    assertThat(read(firstFragment)).isEqualTo(Disposition.FORWARD);
    assertThat(flow.destinationPort()).isEqualTo(80);
    assertThat(read(laterFragment)).isEqualTo(Disposition.LEFT_TO_HOST);
    String quotedUdp =
        "20010db800000000000000000000005020010db8000000000000000000000007%s0035" + "9c4005088c4f";
    assertThat(read(tooBigFor(quotedUdp.formatted("1100000100000005"))))
        .isEqualTo(Disposition.FORWARD);
    assertThat(flow.protocol()).isEqualTo(IpProtocol.UDP);
    assertThat(flow.sourcePort()).isEqualTo(40000);
    assertThat(read(tooBigFor(quotedUdp.formatted("1100058900000005"))))
        .isEqualTo(Disposition.LEFT_TO_HOST);
  }

  /** An error that quotes a fragment of an IPv6 packet, from its source address on. */
  private static String tooBigFor(String quoteFromSource) {
    String quote = "6000000005082c40" + quoteFromSource;
    return "60000000%04x3a4020010db800010000000000000000000120010db80000000000000000000000500200360b"
            .formatted(8 + quote.length() / 2)
        + "00000578"
        + quote;
  }

  @Test
  void knowsWhatBeginsAndEndsAConnection() {
    assertThat(read(TCP)).isEqualTo(Disposition.FORWARD);
    assertThat(flow.isSyn()).isTrue();
    assertThat(flow.isClosing()).isFalse();
    assertThat(read(TCP.replace("50022000", "50112000"))).isEqualTo(Disposition.FORWARD);
    assertThat(flow.isSyn()).isFalse();
    assertThat(flow.isClosing()).isTrue();
    assertThat(read(UDP)).isEqualTo(Disposition.FORWARD);
    assertThat(flow.isSyn() || flow.isClosing() || flow.isError()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    ECHO + ", UNKNOWN_PROTOCOL",
    // frag needed for a packet of GRE, which the machine itself may have sent
    "450000380002000040013490cb0071010a00003203045aec00000578450005dc00094000402f00a70a000032c6336407"
        + "00509c4000000007, LEFT_TO_HOST",
    FRAGMENT + ", FRAGMENT",
    FRAGMENT6 + ", FRAGMENT",
    FROM_LOOPBACK + ", MARTIAN_SOURCE",
    "'', MALFORMED",
    "45, MALFORMED",
    "00112233445566778899aabbccddeeff0011223344, MALFORMED",
    // header length of 16 bytes; of 60 bytes where 33 are
    "44b800211234000040113374c63364070a0000329c400035000deb1f68656c6c6f, MALFORMED",
    "4fb800211234000040113374c63364070a0000329c400035000deb1f68656c6c6f, MALFORMED",
    // total length one more and one less than there is
    "45b800221234000040113374c63364070a0000329c400035000deb1f68656c6c6f, WRONG_LENGTH",
    "45b800201234000040113374c63364070a0000329c400035000deb1f68656c6c6f, WRONG_LENGTH",
    // one bit of the checksum
    "45b800211234000040113375c63364070a0000329c400035000deb1f68656c6c6f, WRONG_CHECKSUM",
    // IPv6: payload length one more; cut in the header
    "6b800000000e114020010db800000000000000000000000720010db80000000000000000000000509c400035000dc3"
        + "c368656c6c6f, WRONG_LENGTH",
    "6b800000000d114020010db8000000000000, MALFORMED",
    // IPv6 to ::ffff:10.0.0.50, which is no address of any interface
    "6000000000003b4020010db800000000000000000000000700000000000000000000ffff0a000032, MALFORMED"
  })
  void refusesTheRest(String hex, Disposition expected) {
    assertThat(read(hex)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "0.0.0.0, true", "0.255.255.255, true", "1.0.0.0, false", "126.255.255.255, false",
    "127.0.0.1, true", "127.255.0.1, true", "128.0.0.1, false", "223.255.255.255, false",
    "224.0.0.1, true", "240.0.0.1, true", "255.255.255.255, true", "10.0.0.1, false"
  })
  void knowsIpv4Martians(String source, boolean martian) {
    assertThat(Ipv4.isMartian((int) IpAddresses.low(IpAddresses.parse(source)))).isEqualTo(martian);
  }

  @ParameterizedTest
  @CsvSource({
    "::, true",
    "::1, true",
    "::2, false",
    "ff02::1, true",
    "ff00::, true",
    "fe80::1, false",
    "2001:db8::1, false",
    "::fffe:0:1, false"
  })
  void knowsIpv6Martians(String source, boolean martian) {
    var address = IpAddresses.parse(source);
    assertThat(Ipv6.isMartian(IpAddresses.high(address), IpAddresses.low(address)))
        .isEqualTo(martian);
  }

  @Test
  void v4MappedSourcesAreMartians() {
    assertThat(Ipv6.isMartian(0, 0xffff_0a00_0001L)).isTrue();
  }

  /** A packet of nothing but extension headers, thousands of them. */
  @Test
  void endlessExtensionsCostLittleAndHaveNoFlow() {
    byte[] packet = new byte[40 + 8 * 4000];
    System.arraycopy(HexFormat.of().parseHex(UDP6), 0, packet, 0, 40);
    packet[4] = (byte) ((8 * 4000) >>> 8);
    packet[5] = (byte) (8 * 4000);
    packet[6] = 60;
    for (int at = 40; at < packet.length; at += 8) {
      packet[at] = 60;
    }
    assertThat(read(packet)).isEqualTo(Disposition.UNKNOWN_PROTOCOL);
  }

  @Test
  void cutAnywhereAPacketIsRefused() {
    for (String hex :
        new String[] {UDP, TCP, TCP_WITH_IP_OPTIONS, UDP6, UDP6_WITH_EXTENSIONS, PACKET_TOO_BIG}) {
      byte[] packet = HexFormat.of().parseHex(hex);
      for (int length = 0; length < packet.length; length++) {
        assertThat(read(Arrays.copyOf(packet, length))).isNotEqualTo(Disposition.FORWARD);
      }
    }
  }

  @Test
  void noBytesMakeItThrow() {
    SplittableRandom random = new SplittableRandom(42);
    byte[][] seeds =
        Stream.of(
                UDP,
                TCP,
                TCP_WITH_IP_OPTIONS,
                FRAGMENTATION_NEEDED,
                UDP6,
                UDP6_WITH_EXTENSIONS,
                PACKET_TOO_BIG)
            .map(HexFormat.of()::parseHex)
            .toArray(byte[][]::new);
    int forwarded = 0;
    for (int round = 0; round < 200_000; round++) {
      byte[] packet = seeds[random.nextInt(seeds.length)].clone();
      int flips = 1 + random.nextInt(4);
      for (int i = 0; i < flips; i++) {
        packet[random.nextInt(packet.length)] = (byte) random.nextInt(256);
      }
      repairIpv4Checksum(packet);
      forwarded += read(packet) == Disposition.FORWARD ? 1 : 0;
    }
    assertThat(forwarded).as("rounds that got past the header").isGreaterThan(10_000);
  }

  private static void repairIpv4Checksum(byte[] packet) {
    int headerLength = (packet[0] & 0x0f) * 4;
    if ((packet[0] & 0xf0) == 0x40 && headerLength >= 20 && headerLength <= packet.length) {
      packet[10] = 0;
      packet[11] = 0;
      int sum = Checksum.of(ByteBuffer.wrap(packet), 0, headerLength);
      packet[10] = (byte) (sum >>> 8);
      packet[11] = (byte) sum;
    }
  }

  /** Against the definition of RFC 1071, which adds one 16-bit word after the other. */
  @Test
  void checksumsAreThoseOfTheDefinition() {
    SplittableRandom random = new SplittableRandom(7);
    for (int length : IntStream.range(0, 130).toArray()) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      int sum = 0;
      for (int i = 0; i < length; i += 2) {
        sum += (bytes[i] & 0xff) << 8 | (i + 1 < length ? bytes[i + 1] & 0xff : 0);
        sum = (sum & 0xffff) + (sum >>> 16);
      }
      assertThat(Checksum.of(ByteBuffer.wrap(bytes), 0, length))
          .as("length %d", length)
          .isEqualTo(~sum & 0xffff);
    }
  }

  /** The example of RFC 1071, §3. */
  @Test
  void checksumOfTheRfcsExample() {
    ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex("0001f203f4f5f6f7"));
    assertThat(Checksum.of(bytes, 0, 8)).isEqualTo(~0xddf2 & 0xffff);
  }

  /** Expected values from {@code openssl mac … SIPHASH}. */
  @Test
  void hashesFlowsWithSipHash() {
    byte[] key = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f");
    FlowHash hash = new FlowHash(key);
    assertThat(read(TCP)).isEqualTo(Disposition.FORWARD);
    assertThat(hash.of(flow)).isEqualTo(0xad248fa8eefcf242L);
    assertThat(
            hash.of(
                0x0706050403020100L,
                0x0f0e0d0c0b0a0908L,
                0x1716151413121110L,
                0x1f1e1d1c1b1a1918L,
                0x2500002423222120L,
                null))
        .isEqualTo(0x027990f029623981L);
    FlowHash.Fingerprint fingerprint = new FlowHash.Fingerprint();
    hash.of(flow, fingerprint);
    assertThat(HexFormat.of().toHexDigits(Long.reverseBytes(fingerprint.high())))
        .isEqualTo("5fa8e31c6ef50763");
    assertThat(HexFormat.of().toHexDigits(Long.reverseBytes(fingerprint.low())))
        .isEqualTo("3106ee5e1ef00f08");
  }

  @ParameterizedTest
  @CsvSource({"0x00, 0x00", "0x03, 0x00", "0xb8, 0xb8", "0xb9, 0xb8", "0xff, 0xfc"})
  void theOuterHeaderCopiesTheDscpAndIsNotEct(String inner, String outer) {
    assertThat(Encapsulation.outerTrafficClass(Integer.decode(inner)))
        .isEqualTo(Integer.decode(outer));
  }

  @Test
  void addressSetsKnowTheirMembersOnly() {
    AddressSet set =
        AddressSet.of(List.of(IpAddresses.parse("10.0.0.1"), IpAddresses.parse("2001:db8::1")));
    assertThat(set.contains(0, 0xffff_0a00_0001L)).isTrue();
    assertThat(set.contains(0x2001_0db8_0000_0000L, 1)).isTrue();
    assertThat(set.contains(0x2001_0db8_0000_0000L, 0xffff_0a00_0001L)).isFalse();
    assertThat(set.contains(0, 1)).isFalse();
    assertThat(AddressSet.EMPTY.contains(0, 0)).isFalse();
  }

  @Test
  void countsByVerdict() {
    TrafficCounters counters = new TrafficCounters();
    counters.received(3);
    counters.forwarded(1, 100);
    counters.forwarded(1, 50);
    counters.refused(Disposition.NO_BACKEND);
    TrafficCounters.Snapshot snapshot = counters.snapshot();
    assertThat(snapshot.received()).isEqualTo(3);
    assertThat(snapshot.batches()).isEqualTo(1);
    assertThat(snapshot.bytes()).isEqualTo(150);
    assertThat(snapshot.dispositions())
        .containsExactly(Map.entry(Disposition.FORWARD, 2L), Map.entry(Disposition.NO_BACKEND, 1L));
    assertThat(snapshot.of(Disposition.STRANGER)).isZero();
  }
}
