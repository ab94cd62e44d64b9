package dev.caplance.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Real sockets on loopback. */
class LinuxSocketTest {

  private static final InetAddress IPV4 = InetAddress.getLoopbackAddress();

  private final Datagram datagram = new Datagram();
  private final List<String> outcomes = new ArrayList<>();
  private final SendBatch.Listener outcome =
      new SendBatch.Listener() {
        @Override
        public void sent(int index, int datagrams, int bytes) {
          outcomes.add("sent " + index + " " + bytes + (datagrams > 1 ? " in " + datagrams : ""));
        }

        @Override
        public void failed(int index, int datagrams, int errno) {
          outcomes.add("failed " + index);
        }

        @Override
        public void gsoRefused(int index, int errno) {
          outcomes.add("GSO refused");
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

  /** Prints the outcome of asking for large buffers. */
  static final class LargeBuffers {
    private LargeBuffers() {}

    public static void main(String[] arguments) throws LinuxException {
      try (LinuxSocket socket = LinuxSocket.udp(IPV4, 0)) {
        socket.setReceiveBuffer(16 << 20);
        socket.setSendBuffer(16 << 20);
        System.out.print("set");
      }
    }
  }

  /** As in a container that has its own user namespace. */
  @Test
  void buffersNeedNoPermission() throws Exception {
    Process program =
        new ProcessBuilder(
                "setpriv",
                "--bounding-set=-net_admin",
                "--inh-caps=-net_admin",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                LargeBuffers.class.getName())
            .redirectErrorStream(true)
            .start();
    assertThat(new String(program.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
        .isEqualTo("set");
  }

  private void sendsABatch(InetAddress loopback, long high, long low) throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(loopback, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(8, 4);
        NativeMemory data = memory("onetwothree");
        LinuxSocket sender = LinuxSocket.udp(loopback, 0);
        SendBatch messages = new SendBatch(3, SendBatch.DATAGRAM_PIECES)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(loopback, receiver.localPort());
      for (int round = 0; round < 2; round++) {
        messages.add(datagram.set(data.address(), 3), to, 0);
        messages.add(datagram.set(data.address() + 3, 3), to, 0xb8);
        messages.add(datagram.set(data.address() + 6, 5), to, 0);
        messages.flush(sender, outcome);
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
        LinuxSocket sender = LinuxSocket.udp(IPV4, 0);
        SendBatch messages = new SendBatch(4, SendBatch.GSO_PIECES)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(IPV4, receiver.localPort());
      messages.add(datagram.set(data.address(), 70_000), to, 0);
      messages.add(datagram.set(data.address(), 1), to, 0);
      messages.add(datagram.set(data.address(), 70_000), to, 0);
      messages.add(datagram.set(data.address(), 2), to, 0);
      messages.flush(sender, outcome);
      assertThat(outcomes).containsExactly("failed 0", "sent 1 1", "failed 2", "sent 3 2");
      assertThat(receiver.receive(batch)).isEqualTo(2);
    }
  }

  private void sendsAGsoBatch(InetAddress loopback) throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(loopback, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(8, 64);
        NativeMemory data = memory("onetwothree");
        LinuxSocket sender = LinuxSocket.udp(loopback, 0);
        SendBatch messages = new SendBatch(3, SendBatch.GSO_PIECES)) {
      assertThat(receiver.enableGro()).isTrue();
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(loopback, receiver.localPort());
      for (int trafficClass : new int[] {0, 0xb8}) {
        int batchOf3 = messages.add(datagram.set(data.address(), 3), to, trafficClass);
        messages.append(batchOf3, datagram.set(data.address() + 3, 1, data.address() + 4, 2));
        messages.append(batchOf3, datagram.set(data.address() + 6, 1));
        messages.add(datagram.set(data.address() + 6, 5), to, 0);
        messages.flush(sender, outcome);
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
  void sendsAndReceivesGsoBatchesOverIpv4() throws Exception {
    sendsAGsoBatch(IPV4);
  }

  @Test
  void sendsAndReceivesGsoBatchesOverIpv6() throws Exception {
    sendsAGsoBatch(IPV6);
  }

  /** Also as a GSO batch, with a traffic class, and after a datagram whose source nobody has. */
  private void sendsFromTheSourceThatIsAsked(
      InetAddress loopback, InetAddress source, InetAddress nobodys) throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(loopback, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(8, 64);
        NativeMemory data = memory("onetwothree");
        LinuxSocket sender =
            LinuxSocket.udp(IpAddresses.parse(source.equals(IPV6) ? "::" : "0.0.0.0"), 0);
        SendBatch messages = new SendBatch(3, SendBatch.GSO_PIECES)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(loopback, receiver.localPort());
      SourceAddress gone = SourceAddress.of(nobodys);
      int lost = messages.add(datagram.set(data.address(), 3), to, gone, 0);
      messages.append(lost, datagram.set(data.address(), 3));
      int kept = messages.add(datagram.set(data.address(), 3), to, SourceAddress.of(source), 0xb8);
      messages.append(kept, datagram.set(data.address() + 3, 3));
      messages.add(datagram.set(data.address() + 6, 5), to, SourceAddress.of(source), 0);
      messages.flush(sender, outcome);
      assertThat(outcomes).containsExactly("failed 0", "sent 1 6 in 2", "sent 2 5");
      List<String> texts = new ArrayList<>();
      while (texts.size() < 3) {
        int count = receiver.receive(batch);
        assertThat(count).isPositive();
        for (int i = 0; i < count; i++) {
          assertThat(batch.sender(i)).isEqualTo(source);
          texts.add(text(batch, i));
        }
      }
      assertThat(texts).containsExactly("one", "two", "three");
    }
  }

  @Test
  void sendsFromTheSourceThatIsAskedOrNotAtAll() throws Exception {
    sendsFromTheSourceThatIsAsked(
        IPV4, IpAddresses.parse("127.0.0.9"), IpAddresses.parse("198.51.100.7"));
    outcomes.clear();
    sendsFromTheSourceThatIsAsked(IPV6, IPV6, IpAddresses.parse("2001:db8::7"));
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
  void neverReceivesMoreThanTheBatchHasRoomFor() throws Exception {
    try (LinuxSocket receiver = LinuxSocket.udp(IPV4, 0);
        LinuxSocket sender = LinuxSocket.udp(IPV4, 0);
        NativeMemory data = memory("one");
        SendBatch messages = new SendBatch(3, SendBatch.DATAGRAM_PIECES);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(2, 64)) {
      receiver.setReceiveTimeout(10_000);
      SocketAddress to = SocketAddress.of(IPV4, receiver.localPort());
      for (int i = 0; i < 3; i++) {
        messages.add(datagram.set(data.address(), 3), to, 0);
      }
      messages.flush(sender, outcome);
      assertThat(receiver.receive(batch, 100)).isEqualTo(2);
      assertThat(receiver.receive(batch, 100)).isEqualTo(1);
    }
  }

  /** The number of a descriptor is used again at once; a second close would hit that one. */
  @Test
  void isClosedOnce() throws Exception {
    LinuxSocket closed = LinuxSocket.udp(IPV4, 0);
    closed.close();
    try (LinuxSocket other = LinuxSocket.udp(IPV4, 0);
        ReceiveBatch batch = ReceiveBatch.ofDatagrams(1, 64)) {
      closed.close();
      assertThat(other.localPort()).isPositive();
      assertThat(closed.receive(batch)).isEqualTo(-9);
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
