package dev.caplance.backend.health;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** UDP checks of servers that answer rightly, wrongly, and not at all; 127.0.0.2 is the VIP. */
class UdpCheckTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final InetAddress VIP = IpAddresses.parse("127.0.0.2");
  private static final InetAddress OWN = IpAddresses.parse("127.0.0.1");

  private DatagramSocket server;

  @AfterEach
  void close() {
    server.close();
  }

  /** Answers each datagram with its text and a "!". */
  private void serve(InetAddress address) throws IOException {
    server = new DatagramSocket(new InetSocketAddress(address, 0));
    Thread thread = new Thread(this::answerAll);
    thread.setDaemon(true);
    thread.start();
  }

  private void answerAll() {
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        server.receive(packet);
        packet.getData()[packet.getLength()] = '!';
        packet.setLength(packet.getLength() + 1);
        server.send(packet);
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private CheckTarget target(AnswerMatch answer) {
    return new CheckTarget.Udp(
        new InetSocketAddress(VIP, server.getLocalPort()),
        OWN,
        ByteBuffer.wrap("ping".getBytes(UTF_8)),
        Optional.ofNullable(answer));
  }

  private Optional<String> attempt(AnswerMatch answer) throws InterruptedException {
    return Checker.of(target(answer), PATIENCE).attempt();
  }

  private String name() {
    return "udp 127.0.0.2:" + server.getLocalPort();
  }

  @Test
  void anAnswerFromTheVipIsWhatIsWanted() throws Exception {
    serve(VIP);
    assertThat(attempt(null)).isEmpty();
    assertThat(attempt(new AnswerMatch(AnswerMatch.Kind.CONTAINS, "ping!"))).isEmpty();
    assertThat(attempt(new AnswerMatch(AnswerMatch.Kind.CONTAINS_HEX, "6721"))).isEmpty();
    assertThat(attempt(new AnswerMatch(AnswerMatch.Kind.MATCHES, "^pong")))
        .contains(name() + " answered 5 bytes with no match of '^pong' in them");
  }

  /** The kernel gives the answer of a socket without an address the one that it routes it by. */
  @Test
  void anAnswerOfAServerThatListensOnAllAddressesComesFromAnother() throws Exception {
    serve(IpAddresses.parse("0.0.0.0"));
    assertThat(attempt(null))
        .contains(
            name() + " answered from 127.0.0.1, not from the VIP: bind the application to the VIP");
  }

  @Test
  void waitsNoLongerThanTheTimeout() throws Exception {
    server = new DatagramSocket(new InetSocketAddress(VIP, 0));
    assertThat(Checker.of(target(null), Duration.ofMillis(200)).attempt())
        .contains(name() + ": no answer within 200 ms");
  }

  @Test
  void anAttemptCanBeInterrupted() throws Exception {
    server = new DatagramSocket(new InetSocketAddress(VIP, 0));
    BlockingQueue<String> end = new LinkedBlockingQueue<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                end.add("ended with " + attempt(null));
              } catch (InterruptedException e) {
                end.add("interrupted");
              }
            });
    thread.start();
    server.receive(new DatagramPacket(new byte[100], 100));
    thread.interrupt();
    assertThat(end.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("interrupted");
  }
}
