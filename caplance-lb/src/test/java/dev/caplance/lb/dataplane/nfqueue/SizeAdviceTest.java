package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.Checksum;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SizeAdviceTest {

  private static final String PORTS = "9c400050";
  private static final int DONT_FRAGMENT = 0x4000;
  private static final int WIDEST_MTU = 1500;
  private static final int TCP = 6;
  private static final int UDP = 17;

  private final IpHeader header = new IpHeader();
  private final FlowKey flow = new FlowKey();

  private boolean isDue(ByteBuffer packet, int maxPacket) {
    int length = packet.capacity();
    assertThat(header.read(packet, 0, length)).isEqualTo(Disposition.FORWARD);
    assertThat(flow.read(header, packet)).isEqualTo(Disposition.FORWARD);
    return new SizeAdvice(WIDEST_MTU).isDue(header, flow, length, maxPacket);
  }

  private static ByteBuffer ipv4(int protocol, int length, int flags) {
    ByteBuffer packet = start("450000000001000040000000c63364070a000032" + PORTS, length);
    packet.putShort(2, (short) length).putShort(6, (short) flags).put(9, (byte) protocol);
    return packet.putShort(10, (short) Checksum.of(packet, 0, 20));
  }

  private static ByteBuffer ipv6(int protocol, int length) {
    String addresses = "20010db800000000000000000000000720010db8000000000000000000000050";
    ByteBuffer packet = start("6000000000000040" + addresses + PORTS, length);
    return packet.putShort(4, (short) (length - 40)).put(6, (byte) protocol);
  }

  private static ByteBuffer start(String hex, int length) {
    return ByteBuffer.allocate(length).put(0, HexFormat.of().parseHex(hex));
  }

  @ParameterizedTest
  @CsvSource({"6, 1472, false", "6, 1473, true", "17, 1472, false", "17, 1473, true"})
  void sendersOfIpv4PacketsThatAreTooLongAreTold(int protocol, int length, boolean told) {
    assertThat(isDue(ipv4(protocol, length, DONT_FRAGMENT), 1472)).isEqualTo(told);
    assertThat(isDue(ipv4(protocol, length, 0), 1472)).as("without DF").isFalse();
  }

  /**
   * The kernel leaves DF set on a packet reassembled from fragments that all had it. These
   * fragments fit already, so the sender would be told again and again.
   */
  @ParameterizedTest
  @CsvSource({"1500, true", "1501, false", "30000, false"})
  void sendersOfReassembledDatagramsAreNotTold(int length, boolean told) {
    assertThat(isDue(ipv4(UDP, length, DONT_FRAGMENT), 1472)).isEqualTo(told);
    assertThat(isDue(ipv4(TCP, length, DONT_FRAGMENT), 1472)).as("TCP can shrink").isTrue();
  }

  /** Hosts do not go below 1,280 bytes, so the packets would be dropped again and again. */
  @ParameterizedTest
  @CsvSource({"1472, true", "1280, true", "1279, false", "548, false"})
  void overIpv6OnlyTcpSendersAreToldDownToTheMinimumMtu(int maxPacket, boolean told) {
    assertThat(isDue(ipv6(TCP, 1500), maxPacket)).isEqualTo(told);
    assertThat(isDue(ipv6(UDP, 1500), maxPacket)).isFalse();
    assertThat(isDue(ipv4(TCP, 1500, DONT_FRAGMENT), maxPacket)).as("IPv4").isTrue();
  }
}
