package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Fragments put together again, as a receiver does. */
class EncapsulationFragmentsTest {

  private static final int DATA_PORT = 1337;
  private static final int SOURCE_PORT = 40_001;
  private static final int TRAFFIC_CLASS = 0xb8;
  private static final int ID = 0x1_0007;
  private static final int AT = 3;

  private final SplittableRandom random = new SplittableRandom(1);
  private final EncapsulationFragments fragments = new EncapsulationFragments();

  private void isReassembled(String source, String destination, int length, int mtu) {
    InetAddress from = IpAddresses.parse(source);
    InetAddress to = IpAddresses.parse(destination);
    boolean ipv4 = IpAddresses.isIpv4(from);
    byte[] packet = new byte[length];
    random.nextBytes(packet);
    ByteBuffer bytes = ByteBuffer.allocate(AT + length).put(AT, packet);
    ByteBuffer whole = ByteBuffer.allocate(8 + length);
    fragments.begin(
        EncapsulationFragments.Ends.of(from, to, DATA_PORT),
        SOURCE_PORT,
        TRAFFIC_CLASS,
        mtu,
        ID,
        bytes,
        AT,
        length);
    int expectedOffset = 0;
    while (fragments.hasNext()) {
      ByteBuffer fragment = ByteBuffer.allocate(mtu);
      int header = fragments.writeNext(fragment, 0);
      int size = header + fragments.payloadLength();
      assertThat(size).isLessThanOrEqualTo(mtu);
      fragment.put(header, packet, fragments.payloadOffset(), fragments.payloadLength());
      IpHeader ip = new IpHeader();
      assertThat(ip.read(fragment, 0, size)).isEqualTo(Disposition.FORWARD);
      assertThat(ip.fragment()).isTrue();
      assertThat(ip.trafficClass()).isEqualTo(TRAFFIC_CLASS);
      assertThat(ip.sourceLow()).isEqualTo(IpAddresses.low(from));
      assertThat(ip.sourceHigh()).isEqualTo(IpAddresses.high(from));
      assertThat(ip.destinationLow()).isEqualTo(IpAddresses.low(to));
      int position = ipv4 ? fragment.getShort(6) & 0x3fff : fragment.getShort(42) & 0xfff9;
      int offset = ipv4 ? (position & 0x1fff) * 8 : position & 0xfff8;
      boolean more = ipv4 ? (position & 0x2000) != 0 : (position & 1) != 0;
      assertThat(ipv4 ? fragment.getShort(4) : fragment.getInt(44))
          .isEqualTo(ipv4 ? (short) 7 : ID);
      assertThat(offset).isEqualTo(expectedOffset);
      assertThat(more).isEqualTo(fragments.hasNext());
      int content = ipv4 ? 20 : 48;
      whole.put(offset, fragment, content, size - content);
      expectedOffset += size - content;
      assertThat(more && size <= mtu - 8).as("no smaller than it has to be").isFalse();
    }
    assertThat(expectedOffset).isEqualTo(8 + length);
    assertThat(whole.getShort(0)).isEqualTo((short) SOURCE_PORT);
    assertThat(whole.getShort(2)).isEqualTo((short) DATA_PORT);
    assertThat(Short.toUnsignedInt(whole.getShort(4))).isEqualTo(8 + length);
    byte[] content = new byte[length];
    whole.get(8, content);
    assertThat(content).isEqualTo(packet);
    ByteBuffer addresses = ByteBuffer.allocate(32);
    addresses.put(from.getAddress()).put(to.getAddress());
    long sum = Checksum.sum(addresses, 0, 32) + IpProtocol.UDP + 8 + length;
    assertThat(Checksum.finish(sum + Checksum.sum(whole, 0, 8 + length))).isZero();
  }

  @Test
  void aReceiverGetsTheDatagramBack() {
    for (int mtu : new int[] {68, 576, 1400, 1500, 9000}) {
      for (int length : new int[] {1473, 1480, 8973, 30_028, Encapsulation.MAX_PACKET}) {
        if (length + 28 > mtu) {
          isReassembled("10.0.0.8", "10.0.0.11", length, mtu);
        }
      }
    }
    for (int mtu : new int[] {1280, 1500, 9000}) {
      for (int length : new int[] {1453, 1460, 8953, 30_048, 65_000}) {
        if (length + 48 > mtu) {
          isReassembled("2001:db8::8", "2001:db8::11", length, mtu);
        }
      }
    }
  }
}
