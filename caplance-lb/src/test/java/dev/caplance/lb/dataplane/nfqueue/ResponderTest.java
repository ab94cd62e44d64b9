package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.linux.SendBatch;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is answered, through a socket that only counts. */
class ResponderTest {

  private static final int PER_SECOND = 3;

  private final ByteBuffer syn = ByteBuffer.wrap(HexFormat.of().parseHex(TestPackets.TCP));
  private final IpHeader header = new IpHeader();
  private final FlowKey flow = new FlowKey();
  private int answers;
  private long seconds;
  private Responder responder;

  @BeforeEach
  void open() {
    responder =
        new Responder(
            new SendBatch.Sink() {
              @Override
              public int send(long messages, int count) {
                answers += count;
                return count;
              }

              @Override
              public void close() {}
            },
            null,
            PER_SECOND,
            () -> seconds * 1_000_000_000);
    assertThat(header.read(syn, 0, syn.capacity())).isEqualTo(Disposition.FORWARD);
    assertThat(flow.read(header, syn)).isEqualTo(Disposition.FORWARD);
  }

  @AfterEach
  void close() {
    responder.close();
  }

  private int answers() {
    responder.flush();
    return answers;
  }

  private void refuse(int times, int now) {
    seconds = now;
    for (int i = 0; i < times; i++) {
      responder.unreachable(header, flow, syn, 0, syn.capacity());
    }
  }

  private void tellSize(int times, int now) {
    seconds = now;
    for (int i = 0; i < times; i++) {
      responder.tooBig(header, syn, 0, syn.capacity(), 1400);
    }
  }

  @Test
  void eachKindOfAnswerIsGivenSoOftenInEachSecond() {
    refuse(10, 7);
    assertThat(answers()).isEqualTo(PER_SECOND);
    refuse(10, 8);
    assertThat(answers()).isEqualTo(2 * PER_SECOND);
    tellSize(10, 9);
    assertThat(answers()).isEqualTo(3 * PER_SECOND);
    tellSize(10, 10);
    assertThat(answers()).isEqualTo(4 * PER_SECOND);
  }

  /** Or forged SYNs to a service without backends would silence the path MTU of all others. */
  @Test
  void refusalsLeaveRoomForSizesAndTheOtherWayRound() {
    refuse(10, 7);
    tellSize(1, 7);
    assertThat(answers()).isEqualTo(PER_SECOND + 1);
    tellSize(10, 8);
    refuse(1, 8);
    assertThat(answers()).isEqualTo(2 * PER_SECOND + 2);
  }
}
