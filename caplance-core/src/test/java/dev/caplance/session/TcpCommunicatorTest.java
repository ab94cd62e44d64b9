package dev.caplance.session;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Over real sockets; the test is the peer and turns the loop itself. */
class TcpCommunicatorTest {

  private static final int PATIENCE_MILLIS = 60_000;

  private final LoopDriver driver = new LoopDriver();
  private final List<String> lines = new ArrayList<>();
  private TcpListener server;
  private TcpCommunicator communicator;
  private Socket peer;
  private IOException end;

  @BeforeEach
  void connect() throws IOException {
    server = TcpListener.open(driver.loop, anyPort(), this::accepted);
    peer = new Socket(server.address().getAddress(), server.address().getPort());
    peer.setSoTimeout(PATIENCE_MILLIS);
    peer.setTcpNoDelay(true);
    driver.turnUntil(() -> communicator != null);
  }

  @AfterEach
  void disconnect() throws IOException {
    peer.close();
    driver.close();
  }

  private void accepted(SocketChannel channel) {
    try {
      communicator = TcpCommunicator.accepted(driver.loop, channel);
      communicator.start(this::read);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void read() {
    try {
      for (String line = communicator.readLine(); line != null; line = communicator.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      end = e;
    }
  }

  @Test
  void aLineMayComeInPieces() throws IOException {
    for (byte b : "PAUSE web-1\r\n".getBytes(ISO_8859_1)) {
      assertThat(lines).isEmpty();
      peer.getOutputStream().write(b);
      driver.loop.turn(Duration.ofMillis(5));
    }
    driver.turnUntil(() -> !lines.isEmpty());
    assertThat(lines).containsExactly("PAUSE web-1");
  }

  @Test
  void manyLinesMayComeAtOnce() throws IOException {
    List<String> sent = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      sent.add("HEALTH 200 " + "x".repeat(i % 500));
    }
    send(String.join("\n", sent) + "\n\n\r\nlast\n");
    sent.addAll(List.of("", "", "last"));
    driver.turnUntil(() -> lines.size() == sent.size());
    assertThat(lines).isEqualTo(sent);
    assertThat(end).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r\n"})
  void theLongestLineIsTakenAndOneByteMoreIsNot(String lineEnd) throws IOException {
    send("x".repeat(512) + lineEnd + "y".repeat(513) + lineEnd);
    driver.turnUntil(() -> end != null);
    assertThat(lines).containsExactly("x".repeat(512));
    assertThat(end)
        .isInstanceOf(FramingException.class)
        .hasMessage("the line is longer than 512 bytes; send shorter ones");
  }

  @Test
  void aLineWithoutAnEndIsNotWaitedFor() throws IOException {
    send("x".repeat(513));
    driver.turnUntil(() -> end != null);
    assertThat(end).isInstanceOf(FramingException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\u0016\u0003\u0001", "PAUSE\tweb", "PAUSE \u00e9", "a\rb", "a\r\r\n", "\u0000"})
  void bytesThatAreNotTextEndTheSessionAtOnce(String bytes) throws IOException {
    send("HEALTH 200\n" + bytes);
    driver.turnUntil(() -> end != null);
    assertThat(lines).containsExactly("HEALTH 200");
    assertThat(end)
        .isInstanceOf(FramingException.class)
        .hasMessageMatching(
            "byte 0x[0-9a-f]{2} is not printable ASCII; send lines of text that end in \\\\n");
  }

  @Test
  void whoClosesIsHeardToTheEnd() throws IOException {
    send("HEALTH 200\nDEREGISTER web-1\nhalf a li");
    peer.close();
    driver.turnUntil(() -> end != null);
    assertThat(lines).containsExactly("HEALTH 200", "DEREGISTER web-1");
    assertThat(end).isInstanceOf(EOFException.class);
  }

  @Test
  void whoOnlyStopsSendingGetsItsAnswers() throws IOException {
    send("DEREGISTER web-1\n");
    peer.shutdownOutput();
    driver.turnUntil(() -> end != null);
    communicator.writeLine("DEREGISTERED web-1 bye");
    communicator.close();
    BufferedReader reader = reader();
    assertThat(reader.readLine()).isEqualTo("DEREGISTERED web-1 bye");
    assertThat(reader.readLine()).isNull();
  }

  @Test
  void theLastWordArrivesThoughInputWasLeftUnread() throws IOException {
    send("x\n");
    driver.turnUntil(() -> !lines.isEmpty());
    send("y\n".repeat(10_000));
    communicator.writeLine("INVALID stop it");
    communicator.close();
    assertThat(reader().readLine()).isEqualTo("INVALID stop it");
    assertThat(communicator.readLine()).isNull();
  }

  @Test
  void aSlowReaderGetsEverythingInOrder() throws IOException {
    peer.setReceiveBufferSize(4096);
    int sent = 0;
    // Up to what the kernel takes and half of the queue: the rest goes out as the peer reads.
    while (sent < 64) {
      communicator.writeLine(sent++ + " " + "z".repeat(480));
    }
    BufferedReader reader = reader();
    for (int i = 0; i < sent; i++) {
      driver.turn();
      assertThat(reader.readLine()).startsWith(i + " ");
    }
    assertThat(end).isNull();
  }

  @Test
  void whoNeverReadsIsCutOff() {
    String line = "z".repeat(512);
    long written = 0;
    while (end == null) {
      communicator.writeLine(line);
      written += line.length();
      driver.turn();
      assertThat(written).as("bytes taken for a peer that does not read").isLessThan(1L << 30);
    }
    assertThat(end).hasMessage("the peer does not read what it is sent");
    communicator.writeLine(line);
    assertThat(communicator.localAddress()).isNull();
  }

  @Test
  void anOwnerThatFailsLosesItsSessionAndHearsOfIt() throws IOException {
    List<String> seen = new ArrayList<>();
    communicator = null;
    TcpListener other =
        TcpListener.open(
            driver.loop,
            anyPort(),
            channel -> {
              try {
                TcpCommunicator failing = TcpCommunicator.accepted(driver.loop, channel);
                failing.start(
                    () -> {
                      try {
                        seen.add(failing.readLine());
                      } catch (IOException e) {
                        seen.add(e.getMessage());
                        return;
                      }
                      throw new IllegalStateException("a bug");
                    });
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    try (Socket unlucky = new Socket(other.address().getAddress(), other.address().getPort())) {
      unlucky.setSoTimeout(PATIENCE_MILLIS);
      unlucky.getOutputStream().write("PAUSE web-1\n".getBytes(ISO_8859_1));
      driver.turnUntil(() -> seen.size() == 2);
      assertThat(seen)
          .containsExactly(
              "PAUSE web-1", "unexpected failure: java.lang.IllegalStateException: a bug");
      assertThat(unlucky.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void connectsAndSendsWhatWasWrittenBefore() throws IOException {
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      communicator =
          TcpCommunicator.connecting(
              driver.loop, (InetSocketAddress) listening.getLocalSocketAddress());
      communicator.start(this::read);
      communicator.writeLine("REGISTER web-1 10.0.0.11");
      communicator.writeLine("HEALTH 200");
      try (Socket accepted = listening.accept()) {
        accepted.setSoTimeout(PATIENCE_MILLIS);
        accepted.getOutputStream().write("REGISTERED web-1 10.0.0.11\n".getBytes(ISO_8859_1));
        driver.turnUntil(() -> !lines.isEmpty());
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(accepted.getInputStream(), ISO_8859_1));
        assertThat(reader.readLine()).isEqualTo("REGISTER web-1 10.0.0.11");
        assertThat(reader.readLine()).isEqualTo("HEALTH 200");
        assertThat(communicator.localAddress()).isEqualTo(accepted.getRemoteSocketAddress());
        assertThat(communicator.peer()).isEqualTo(listening.getLocalSocketAddress());
      }
    }
  }

  @Test
  void aConnectionThatIsRefusedIsTold() throws IOException {
    InetSocketAddress nobody;
    try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = (InetSocketAddress) gone.getLocalSocketAddress();
    }
    communicator = TcpCommunicator.connecting(driver.loop, nobody);
    communicator.start(this::read);
    communicator.writeLine("REGISTER web-1 10.0.0.11");
    driver.turnUntil(() -> end != null);
    assertThat(end).isInstanceOf(ConnectException.class);
    communicator.close();
  }

  @Test
  void mayBeClosedBeforeItIsConnectedAndTwice() throws IOException {
    TcpCommunicator impatient = TcpCommunicator.connecting(driver.loop, server.address());
    impatient.close();
    impatient.close();
    impatient.writeLine("late");
    assertThat(impatient.readLine()).isNull();
  }

  private void send(String bytes) throws IOException {
    OutputStream out = peer.getOutputStream();
    out.write(bytes.getBytes(ISO_8859_1));
    out.flush();
  }

  private BufferedReader reader() throws IOException {
    return new BufferedReader(new InputStreamReader(peer.getInputStream(), ISO_8859_1));
  }

  private static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }
}
