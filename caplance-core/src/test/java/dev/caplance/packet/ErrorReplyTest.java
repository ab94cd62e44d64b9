package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The golden packets were made with Scapy. */
class ErrorReplyTest {

  private static final String SYN =
      "450000280001400040060663c63364070a0000329c400050000000010000000050022000bee40000";
  private static final String UDP =
      "45b800211234000040113374c63364070a0000329c400035000deb1f68656c6c6f";
  private static final String UDP6 =
      "6b800000000d114020010db800000000000000000000000720010db80000000000000000000000509c400035"
          + "000dc3c368656c6c6f";
  private static final String SYN6 =
      "600000000014064020010db800000000000000000000000720010db8000000000000000000000050"
          + "9c400050ffffffff000000005002200097890000";

  private final ByteBuffer reply = ByteBuffer.allocateDirect(ErrorReply.MAX_LENGTH);
  private final IpHeader header = new IpHeader();

  private final ErrorReply errorReply = new ErrorReply();

  private interface Writer {
    int write(ErrorReply reply);
  }

  private String replyTo(String packet, Writer writer) {
    byte[] bytes = HexFormat.of().parseHex(packet);
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length + 50).put(33, bytes);
    for (int i = 0; i < ErrorReply.MAX_LENGTH; i++) {
      reply.put(i, (byte) 0xee);
    }
    assertThat(header.read(buffer, 33, bytes.length)).isEqualTo(Disposition.FORWARD);
    int length = writer.write(errorReply.about(header, buffer, 33, bytes.length));
    byte[] written = new byte[length];
    reply.get(0, written);
    return HexFormat.of().formatHex(written);
  }

  @Test
  void saysThatAPacketIsTooBig() {
    assertThat(replyTo(SYN, r -> r.tooBig(1472, reply)))
        .isEqualTo(
            "45000044000000004001464d0a000032c633640703042bc3000005c0450000280001400040060663"
                + "c63364070a0000329c400050000000010000000050022000bee40000");
    assertThat(replyTo(SYN6, r -> r.tooBig(1452, reply)))
        .isEqualTo(
            "6000000000443a4020010db800000000000000000000005020010db8000000000000000000000007"
                + "020035d2000005ac600000000014064020010db800000000000000000000000720010db800000000"
                + "00000000000000509c400050ffffffff000000005002200097890000");
  }

  @Test
  void saysThatAPortIsUnreachable() {
    assertThat(replyTo(UDP, r -> r.portUnreachable(reply)))
        .isEqualTo(
            "4500003d00000000400146540a000032c6336407030331880000000045b800211234000040113374"
                + "c63364070a0000329c400035000deb1f68656c6c6f");
    assertThat(replyTo(UDP6, r -> r.portUnreachable(reply)))
        .isEqualTo(
            "60000000003d3a4020010db800000000000000000000005020010db8000000000000000000000007"
                + "0104260c000000006b800000000d114020010db800000000000000000000000720010db800000000"
                + "00000000000000509c400035000dc3c368656c6c6f");
  }

  @Test
  void resetsAConnection() {
    assertThat(replyTo(SYN, r -> r.reset(reply)))
        .isEqualTo(
            "4500002800000000400646640a000032c633640700509c40000000000000000250140000ded10000");
    assertThat(replyTo(SYN6, r -> r.reset(reply)))
        .isEqualTo(
            "600000000014064020010db800000000000000000000005020010db8000000000000000000000007"
                + "00509c40000000000000000050140000b7770000");
  }

  /** A client takes no reset but the one with the sequence number that it expects. */
  @Test
  void resetsAnOpenConnectionWithTheNumberThatItsPacketAcknowledges() {
    String data = SYN.replace("450000280001400040060663", "4500002c000140004006065f") + "01020304";
    String acknowledging = data.replace("00000001000000005002", "00000001abcdef015018");
    String reset = replyTo(acknowledging, r -> r.reset(reply));
    assertThat(reset.substring(40, 72)).isEqualTo("00509c40abcdef010000000050040000");
    String acknowledgesNothing = data.replace("00000001000000005002", "00000001000000005001");
    reset = replyTo(acknowledgesNothing, r -> r.reset(reply));
    assertThat(reset.substring(40, 72)).isEqualTo("00509c40000000000000000650140000");
  }

  /** Never more than a router may send, however large the packet. */
  @Test
  void quotesNoMoreThanIsAllowed() {
    String large = UDP6.replace("000d1140", "05a51140") + "00".repeat(1432);
    assertThat(replyTo(large, r -> r.tooBig(1452, reply))).hasSize(2 * ErrorReply.MAX_LENGTH);
  }
}
