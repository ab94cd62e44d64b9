package dev.caplance.linux.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Byte for byte what {@code linux/netfilter/nfnetlink_queue.h} describes. */
class QueueMessagesTest {

  /** A message as the kernel sends it: packet 7 of queue 3, from interface 2, payload 5 bytes. */
  private static final String PACKET =
      "3c000000 0003 0000 00000000 00000000" // nlmsghdr: 60 bytes, NFQNL_MSG_PACKET
          + "02 00 0003" // nfgenmsg: AF_INET, version 0, queue 3
          + "0b00 0100 00000007 0800 00 00" // NFQA_PACKET_HDR: id 7, IPv4, prerouting
          + "0800 0500 00000002" // NFQA_IFINDEX_INDEV
          + "0900 0a00 4500001405 000000" // NFQA_PAYLOAD
      ;

  private final QueueMessages message = new QueueMessages();

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private boolean read(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length + 64);
    buffer.put(64, bytes);
    return message.read(buffer, 64, bytes.length);
  }

  @Test
  void tellsWhatTheKernelLeftUndone() {
    byte[] packet = bytes(PACKET + "0800 0e00 00000003"); // NFQA_SKB_INFO
    packet[0] = (byte) packet.length;
    assertThat(read(packet)).isTrue();
    assertThat(message.queue()).isEqualTo(3);
    assertThat(message.aggregate()).isTrue();
    assertThat(message.checksumReady()).isFalse();
    byte[] plain = bytes(PACKET);
    plain[0] = (byte) plain.length;
    assertThat(read(plain)).isTrue();
    assertThat(message.aggregate()).isFalse();
    assertThat(message.checksumReady()).isTrue();
  }

  /** What the kernel answers to a verdict on packets that it does not have. */
  @Test
  void readsAnError() {
    byte[] error =
        bytes(
            "34000000 0200 0000 00000000 00000000" // nlmsghdr: 52 bytes, NLMSG_ERROR
                + "feffffff" // -ENOENT
                + "20000000 0303 0100 00000000 00000000" // our message
                + "00 00 0003 0c00 0200 00000000 00000007");
    ByteBuffer buffer = ByteBuffer.allocateDirect(error.length + 64).put(64, error);
    assertThat(read(error)).isFalse();
    assertThat(QueueMessages.errno(buffer, 64, error.length)).isEqualTo(2);
    assertThat(QueueMessages.errno(buffer, 64, 19)).as("cut short").isZero();
    byte[] packet = bytes(PACKET);
    buffer.put(64, packet);
    assertThat(QueueMessages.errno(buffer, 64, packet.length)).as("a packet").isZero();
  }

  @Test
  void readsAPacket() {
    byte[] packet = bytes(PACKET);
    packet[0] = (byte) packet.length;
    assertThat(read(packet)).isTrue();
    assertThat(message.packetId()).isEqualTo(7);
    assertThat(message.payloadLength()).isEqualTo(5);
    assertThat(message.payloadOffset()).isEqualTo(64 + 20 + 12 + 8 + 4);
    assertThat(message.whole()).isTrue();
  }

  @Test
  void knowsAPacketThatWasCut() {
    byte[] packet = bytes(PACKET + "0800 0d00 0000ffff"); // NFQA_CAP_LEN
    packet[0] = (byte) packet.length;
    assertThat(read(packet)).isTrue();
    assertThat(message.whole()).isFalse();
  }

  @Test
  void passesOverWhatIsNoPacket() {
    assertThat(read(bytes("24000000 0200 0000 00000000 00000000 00000000 00000000"))).isFalse();
    assertThat(read(new byte[0])).isFalse();
    assertThat(read(bytes("14000000 0003 0000 00000000 00000000 02000003"))).isFalse();
  }

  @Test
  void noBytesMakeItReadPastTheMessage() {
    SplittableRandom random = new SplittableRandom(11);
    for (int round = 0; round < 100_000; round++) {
      byte[] packet = bytes(PACKET);
      packet[0] = (byte) packet.length;
      for (int i = random.nextInt(5); i >= 0; i--) {
        packet[random.nextInt(packet.length)] = (byte) random.nextInt(256);
      }
      if (read(packet)) {
        assertThat(message.payloadLength()).isNotNegative();
        assertThat(message.payloadOffset() + message.payloadLength())
            .isLessThanOrEqualTo(64 + packet.length);
      }
    }
  }

  @Test
  void writesABatchVerdict() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(QueueMessages.VERDICT_LENGTH);
    QueueMessages.writeVerdictBatch(buffer, 0, 3, QueueMessages.DROP);
    QueueMessages.setPacket(buffer, 0, 0x01020304);
    assertThat(hex(buffer))
        .isEqualTo(
            "20000000 0303 0100 00000000 00000000 00 00 0003 0c00 0200 00000000 01020304"
                .replace(" ", ""));
  }

  @Test
  void writesAVerdictForOnePacket() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(QueueMessages.VERDICT_LENGTH);
    QueueMessages.writeSingleVerdict(buffer, 0, 3, QueueMessages.ACCEPT);
    QueueMessages.setPacket(buffer, 0, 9);
    assertThat(hex(buffer))
        .isEqualTo(
            "20000000 0103 0100 00000000 00000000 00 00 0003 0c00 0200 00000001 00000009"
                .replace(" ", ""));
  }

  @Test
  void writesTheRequestForWholePackets() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(QueueMessages.COPY_MODE_LENGTH);
    QueueMessages.writeCopyMode(buffer, 258, 0xfffb);
    assertThat(hex(buffer))
        .isEqualTo(
            "20000000 0203 0100 00000000 00000000 00 00 0102 0900 0200 0000fffb 02 000000"
                .replace(" ", ""));
  }

  private static String hex(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.capacity()];
    buffer.get(0, bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
