package dev.caplance.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Full batches, and sockets that refuse; see {@link LinuxSocketTest} for those that send. */
class SendBatchTest {

  private static final SocketAddress TO = SocketAddress.of(InetAddress.getLoopbackAddress(), 1337);

  private final NativeMemory data = NativeMemory.allocate(SendBatch.MAX_GSO_BYTES);
  private final Datagram datagram = new Datagram();
  private final List<String> outcomes = new ArrayList<>();

  /** What the calls return in turn; then everything is sent. */
  private final Deque<Integer> results = new ArrayDeque<>();

  private final List<Integer> counts = new ArrayList<>();

  private final SendBatch.Sink sink =
      new SendBatch.Sink() {
        @Override
        public int send(long messages, int count) {
          counts.add(count);
          return results.isEmpty() ? count : results.remove();
        }

        @Override
        public void close() {}
      };

  private final SendBatch.Listener listener =
      new SendBatch.Listener() {
        @Override
        public void sent(int index, int datagrams, int bytes) {
          outcomes.add("sent " + index + " " + datagrams + "x " + bytes);
        }

        @Override
        public void failed(int index, int datagrams, int errno) {
          outcomes.add("failed " + index + " " + datagrams + "x " + errno);
        }

        @Override
        public void gsoRefused(int index, int errno) {
          outcomes.add("GSO refused " + index + " " + errno);
        }
      };

  @AfterEach
  void free() {
    data.close();
  }

  private Datagram datagram(int length) {
    return datagram.set(data.address(), length);
  }

  @Test
  void aFullBatchTakesNoMoreMessagesAndGoesOutWhole() {
    try (SendBatch batch = new SendBatch(2, SendBatch.DATAGRAM_PIECES)) {
      assertThat(batch.add(datagram(1), TO, 0)).isZero();
      assertThat(batch.addRaw(datagram(2), true, 0, 1)).isEqualTo(1);
      assertThat(batch.add(datagram(3), TO, 0)).isEqualTo(SendBatch.FULL);
      assertThat(batch.addRaw(datagram(3), true, 0, 1)).isEqualTo(SendBatch.FULL);
      assertThat(batch.count()).isEqualTo(2);
      batch.flush(sink, listener);
      assertThat(outcomes).containsExactly("sent 0 1x 1", "sent 1 1x 2");
      assertThat(batch.add(datagram(3), TO, 0)).isZero();
    }
  }

  @Test
  void aGsoBatchTakesWhatTheKernelSegmentsAndNoMore() {
    try (SendBatch batch = new SendBatch(4, SendBatch.GSO_PIECES)) {
      int many = batch.add(datagram(100), TO, 0);
      for (int i = 1; i < SendBatch.MAX_GSO_DATAGRAMS; i++) {
        Datagram inTwoPlaces = datagram.set(data.address(), 40, data.address() + 40, 60);
        assertThat(batch.append(many, inTwoPlaces)).isTrue();
      }
      assertThat(batch.append(many, datagram(100))).isFalse();

      int large = batch.add(datagram(40_000), TO, 0);
      assertThat(batch.append(large, datagram(40_000))).as("too many bytes").isFalse();
      assertThat(batch.append(large, datagram(25_507))).isTrue();

      int unequal = batch.add(datagram(100), TO, 0);
      assertThat(batch.append(unequal, datagram(101))).as("longer").isFalse();
      assertThat(batch.append(unequal, datagram(99))).as("shorter").isTrue();
      assertThat(batch.append(unequal, datagram(99))).as("after a shorter one").isFalse();

      batch.flush(sink, listener);
      assertThat(outcomes).containsExactly("sent 0 64x 6400", "sent 1 2x 65507", "sent 2 2x 199");
    }
  }

  @Test
  void aMessageTakesNoMorePiecesThanItHasRoomFor() {
    try (SendBatch batch = new SendBatch(1, 3)) {
      int message = batch.add(datagram(10), TO, 0);
      assertThat(batch.extend(message, data.address(), 10)).isTrue();
      assertThat(batch.extend(message, data.address(), 10)).isTrue();
      assertThat(batch.extend(message, data.address(), 10)).isFalse();
      batch.flush(sink, listener);
      assertThat(outcomes).containsExactly("sent 0 1x 30");
    }
    try (SendBatch batch = new SendBatch(1, SendBatch.DATAGRAM_PIECES)) {
      int message = batch.add(datagram(10), TO, 0);
      assertThat(batch.append(message, datagram(10))).as("could need two pieces").isFalse();
    }
  }

  @Test
  void sizesThatTheKernelDoesNotTakeAreRefused() {
    assertThatThrownBy(() -> new SendBatch(1025, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SendBatch(0, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SendBatch(1, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SendBatch(1, 1025)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aMessageThatIsRefusedStopsNoOther() {
    try (SendBatch batch = new SendBatch(4, SendBatch.DATAGRAM_PIECES)) {
      for (int i = 1; i <= 4; i++) {
        batch.add(datagram(i), TO, 0);
      }
      results.addAll(List.of(1, -Errno.ENOBUFS, 1, -Errno.EPERM));
      batch.flush(sink, listener);
      assertThat(outcomes)
          .containsExactly("sent 0 1x 1", "failed 1 1x 105", "sent 2 1x 3", "failed 3 1x 1");
      assertThat(counts).containsExactly(4, 3, 2, 1);
      assertThat(batch.count()).isZero();
    }
  }

  @Test
  void aGsoBatchThatIsRefusedIsSentOneByOne() {
    try (SendBatch batch = new SendBatch(2, SendBatch.GSO_PIECES)) {
      int message = batch.add(datagram(100), TO, 0xb8);
      batch.append(message, datagram.set(data.address(), 40, data.address(), 60));
      batch.append(message, datagram(30));
      batch.add(datagram(7), TO, 0);
      results.addAll(List.of(-Errno.EIO, 1, -Errno.ENOBUFS, 1));
      batch.flush(sink, listener);
      assertThat(outcomes)
          .containsExactly(
              "GSO refused 0 5", "sent 0 1x 100", "failed 0 1x 105", "sent 0 1x 30", "sent 1 1x 7");
    }
  }

  @Test
  void aGsoBatchThatCannotBeSentAtAllFailsAsAWhole() {
    try (SendBatch batch = new SendBatch(1, SendBatch.GSO_PIECES)) {
      int message = batch.add(datagram(100), TO, 0);
      batch.append(message, datagram(100));
      results.add(-Errno.EPERM);
      batch.flush(sink, listener);
      assertThat(outcomes).containsExactly("failed 0 2x 1");
    }
  }

  /** A source address that has gone refuses everything (EINVAL); segmentation is not to blame. */
  @Test
  void aGsoBatchWhoseFirstDatagramIsRefusedTooFailsAsAWhole() {
    try (SendBatch batch = new SendBatch(2, SendBatch.GSO_PIECES)) {
      int message = batch.add(datagram(100), TO, 0);
      batch.append(message, datagram(100));
      batch.append(message, datagram(100));
      batch.add(datagram(7), TO, 0);
      results.addAll(List.of(-Errno.EINVAL, -Errno.EINVAL, 1));
      batch.flush(sink, listener);
      assertThat(outcomes).containsExactly("failed 0 3x 22", "sent 1 1x 7");
      assertThat(counts).containsExactly(2, 1, 1);
    }
  }

  /** The datagrams of a refused GSO batch arrive as they are, and so does what is sent next. */
  @Test
  void whatIsSentOneByOneArrives() throws Exception {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (LinuxSocket receiver = LinuxSocket.udp(loopback, 0);
        LinuxSocket sender = LinuxSocket.udp(loopback, 0);
        ReceiveBatch received = ReceiveBatch.ofDatagrams(8, 64);
        SendBatch batch = new SendBatch(1, SendBatch.GSO_PIECES)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(loopback, receiver.localPort());
      data.networkBytes().put("onetwothree".getBytes(StandardCharsets.US_ASCII));
      SendBatch.Sink refusesFirst =
          new SendBatch.Sink() {
            private boolean refused;

            @Override
            public int send(long messages, int count) {
              if (!refused) {
                refused = true;
                return -Errno.EMSGSIZE;
              }
              return sender.send(messages, count);
            }

            @Override
            public void close() {}
          };
      int message = batch.add(datagram(3), to, 0xb8);
      batch.append(message, datagram.set(data.address() + 3, 1, data.address() + 4, 2));
      batch.append(message, datagram.set(data.address() + 6, 2));
      batch.flush(refusesFirst, listener);
      message = batch.add(datagram.set(data.address() + 6, 5), to, 0);
      batch.append(message, datagram.set(data.address(), 5));
      batch.flush(refusesFirst, listener);
      List<String> texts = new ArrayList<>();
      while (texts.size() < 5) {
        int count = receiver.receive(received);
        assertThat(count).isPositive();
        for (int i = 0; i < count; i++) {
          byte[] bytes = new byte[received.length(i)];
          received.bytes().get(received.offset(i), bytes);
          texts.add(new String(bytes, StandardCharsets.US_ASCII));
        }
      }
      assertThat(texts).containsExactly("one", "two", "th", "three", "onetw");
    }
  }
}
