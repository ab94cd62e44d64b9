package dev.caplance.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Real sockets on loopback. */
class LinuxSocketTest {

  private static final InetAddress IPV4 = InetAddress.getLoopbackAddress();

  private final List<String> outcomes = new ArrayList<>();
  private final BatchSender.Outcome outcome =
      new BatchSender.Outcome() {
        @Override
        public void sent(int index, int datagrams, int bytes) {
          outcomes.add("sent " + index + " " + bytes + (datagrams > 1 ? " in " + datagrams : ""));
        }

        @Override
        public void refused(int index, int datagrams, int errno) {
          outcomes.add("refused " + index);
        }

        @Override
        public void runRefused(int index, int errno) {
          outcomes.add("run refused");
        }
      };

  private static final InetAddress IPV6 = IpAddresses.parse("::1");

  private static String text(ReceiveBatch batch, int index) {
    byte[] bytes = new byte[batch.length(index)];
    batch.bytes().get(batch.offset(index), bytes);
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  private static NativeMemory memory(String text) {
    NativeMemory memory = NativeMemory.allocate(text.length());
    memory.nativeBytes().put(text.getBytes(StandardCharsets.US_ASCII));
    return memory;
  }

  private void sendsABatch(InetAddress loopback, long high, long low) throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(loopback, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(8, 4);
        NativeMemory data = memory("onetwothree");
        BatchSender sender = new BatchSender(LinuxSocket.udp(loopback, 0), 3, false)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(loopback, receiver.localPort());
      for (int round = 0; round < 2; round++) {
        sender.add(data.address(), 3, to, 0);
        sender.add(data.address() + 3, 3, to, 0xb8);
        sender.add(data.address() + 6, 5, to, 0);
        sender.flush(outcome);
        assertThat(receiver.receive(batch)).isEqualTo(3);
        assertThat(List.of(text(batch, 0), text(batch, 1))).containsExactly("one", "two");
        assertThat(batch.truncated(1)).isFalse();
        assertThat(batch.truncated(2)).isTrue();
        assertThat(batch.senderHigh(0)).isEqualTo(high);
        assertThat(batch.senderLow(2)).isEqualTo(low);
        assertThat(batch.sender(1)).isEqualTo(loopback);
      }
      assertThat(outcomes)
          .containsExactly("sent 0 3", "sent 1 3", "sent 2 5", "sent 0 3", "sent 1 3", "sent 2 5");
    }
  }

  @Test
  void sendsAndReceivesBatchesOverIpv4() throws Exception {
    sendsABatch(IPV4, 0, 0xffff_7f00_0001L);
  }

  @Test
  void sendsAndReceivesBatchesOverIpv6() throws Exception {
    sendsABatch(IPV6, 0, 1);
  }

  @Test
  void aMessageThatTheKernelRefusesStopsNoOther() throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(IPV4, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(8, 64);
        NativeMemory data = NativeMemory.allocate(70_000);
        BatchSender sender = new BatchSender(LinuxSocket.udp(IPV4, 0), 4, true)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(IPV4, receiver.localPort());
      sender.add(data.address(), 70_000, to, 0);
      sender.add(data.address(), 1, to, 0);
      sender.add(data.address(), 70_000, to, 0);
      sender.add(data.address(), 2, to, 0);
      sender.flush(outcome);
      assertThat(outcomes).containsExactly("refused 0", "sent 1 1", "refused 2", "sent 3 2");
      assertThat(receiver.receive(batch)).isEqualTo(2);
    }
  }

  private void sendsARun(InetAddress loopback) throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(loopback, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(8, 64);
        NativeMemory data = memory("onetwothree");
        BatchSender sender = new BatchSender(LinuxSocket.udp(loopback, 0), 3, true)) {
      assertThat(receiver.joinDatagrams()).isTrue();
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(loopback, receiver.localPort());
      for (int trafficClass : new int[] {0, 0xb8}) {
        int run = sender.add(data.address(), 3, to, trafficClass);
        sender.extend(run, data.address() + 3, 1, data.address() + 4, 2);
        sender.extend(run, data.address() + 6, 1);
        sender.add(data.address() + 6, 5, to, 0);
        sender.flush(outcome);
        assertThat(receiver.receive(batch)).isEqualTo(2);
        assertThat(List.of(text(batch, 0), text(batch, 1))).containsExactly("onetwot", "three");
        assertThat(batch.datagramSize(0)).isEqualTo(3);
        assertThat(batch.datagramSize(1)).isEqualTo(5);
      }
      assertThat(outcomes)
          .containsExactly("sent 0 7 in 3", "sent 1 5", "sent 0 7 in 3", "sent 1 5");
    }
  }

  @Test
  void sendsAndReceivesRunsOverIpv4() throws Exception {
    sendsARun(IPV4);
  }

  @Test
  void sendsAndReceivesRunsOverIpv6() throws Exception {
    sendsARun(IPV6);
  }

  /** More bytes than the kernel takes are as good a reason as an interface without offload. */
  @Test
  void aRunThatTheKernelRefusesIsSentOneByOne() throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(IPV4, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(8, 64);
        NativeMemory data = NativeMemory.allocate(200_000);
        BatchSender sender = new BatchSender(LinuxSocket.udp(IPV4, 0), 4, true)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(IPV4, receiver.localPort());
      int run = sender.add(data.address(), 30_000, to, 0);
      sender.extend(run, data.address(), 10_000, data.address(), 20_000);
      sender.extend(run, data.address(), 10_000, data.address(), 5_000);
      sender.flush(outcome);
      assertThat(outcomes)
          .containsExactly("run refused", "sent 0 30000", "sent 0 30000", "sent 0 15000");
      assertThat(receiver.receive(batch)).isEqualTo(3);
    }
  }

  @Test
  void waitsNoLongerThanTold() throws Exception {
    try (LinuxSocket socket = LinuxSocket.udp(IPV4, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(1, 64)) {
      socket.setReceiveTimeout(10);
      assertThat(socket.receive(batch)).isEqualTo(-Errno.EAGAIN);
    }
  }

  @Test
  void saysWhichCallFailedAndWhy() throws Exception {
    try (LinuxSocket first = LinuxSocket.udp(IPV4, 0)) {
      int port = first.localPort();
      assertThatThrownBy(() -> LinuxSocket.udp(IPV4, port))
          .isInstanceOf(LinuxException.class)
          .hasMessage(
              "bind(127.0.0.1, " + port + ") failed with error(98): Address already in use");
    }
  }

  @Test
  void addressesAreThoseOfTheKernel() {
    ByteBuffer bytes = ByteBuffer.allocate(SocketAddress.MAX_LENGTH);
    SocketAddress.of(IPV4, 1337).writeTo(bytes.order(ByteOrder.nativeOrder()), 0);
    assertThat(HexFormat.of().formatHex(bytes.array(), 0, 16))
        .isEqualTo("02000539" + "7f000001" + "0000000000000000");
  }
}
