package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.linux.BatchSender;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What waits to be said, before any of it is sent. */
class ResponderTest {

  private static final int IN_A_SECOND = 3;

  private final ByteBuffer syn = ByteBuffer.wrap(HexFormat.of().parseHex(TestPackets.TCP));
  private final IpHeader header = new IpHeader();
  private final FlowKey flow = new FlowKey();
  private BatchSender waiting;
  private Responder responder;

  @BeforeEach
  void open() throws Exception {
    waiting = new BatchSender(LinuxSocket.udp(InetAddress.getLoopbackAddress(), 0), 64, false);
    responder = new Responder(waiting, null, IN_A_SECOND);
    assertThat(header.read(syn, 0, syn.capacity())).isEqualTo(Disposition.FORWARD);
    assertThat(flow.read(header, syn)).isEqualTo(Disposition.FORWARD);
  }

  @AfterEach
  void close() {
    responder.close();
  }

  private void refuse(int times, int now) {
    for (int i = 0; i < times; i++) {
      responder.nobody(header, flow, syn, 0, syn.capacity(), now);
    }
  }

  private void tellSize(int times, int now) {
    for (int i = 0; i < times; i++) {
      responder.tooBig(header, syn, 0, syn.capacity(), 1400, now);
    }
  }

  @Test
  void eachKindOfAnswerIsGivenSoOftenInEachSecond() {
    refuse(10, 7);
    assertThat(waiting.count()).isEqualTo(IN_A_SECOND);
    refuse(10, 8);
    assertThat(waiting.count()).isEqualTo(2 * IN_A_SECOND);
    tellSize(10, 9);
    assertThat(waiting.count()).isEqualTo(3 * IN_A_SECOND);
    tellSize(10, 10);
    assertThat(waiting.count()).isEqualTo(4 * IN_A_SECOND);
  }

  /** Or forged SYNs to a service without backends would silence the path MTU of all others. */
  @Test
  void refusalsLeaveRoomForSizesAndTheOtherWayRound() {
    refuse(10, 7);
    tellSize(1, 7);
    assertThat(waiting.count()).isEqualTo(IN_A_SECOND + 1);
    tellSize(10, 8);
    refuse(1, 8);
    assertThat(waiting.count()).isEqualTo(2 * IN_A_SECOND + 2);
  }
}
