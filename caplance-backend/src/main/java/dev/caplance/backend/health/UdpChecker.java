package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/**
 * Sends a datagram and waits for the answer, which must come from where the datagram went: clients
 * discard one from another address of this machine. The socket is not connected, so that it sees
 * those too.
 */
final class UdpChecker implements Checker {

  private static final int LARGEST = 1 << 16;

  private final CheckTarget.Udp target;
  private final Duration timeout;

  UdpChecker(CheckTarget.Udp target, Duration timeout) {
    this.target = target;
    this.timeout = timeout;
  }

  @Override
  public Optional<String> attempt() throws InterruptedException {
    return problem().map(problem -> "udp " + target.name() + problem);
  }

  private Optional<String> problem() throws InterruptedException {
    // The socket of a channel: an interrupt closes it.
    try (DatagramChannel channel = DatagramChannel.open()) {
      DatagramSocket socket = channel.socket();
      socket.bind(new InetSocketAddress(target.from(), 0));
      byte[] payload = new byte[target.payload().remaining()];
      target.payload().duplicate().get(payload);
      socket.send(new DatagramPacket(payload, payload.length, target.address()));
      return awaitAnswer(socket);
    } catch (SocketTimeoutException e) {
      return Optional.of(": " + Checker.late(timeout));
    } catch (IOException e) {
      return Optional.of(": " + Checker.describe(e));
    }
  }

  /** Passes over what others send here. */
  private Optional<String> awaitAnswer(DatagramSocket socket) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    DatagramPacket answer = new DatagramPacket(new byte[LARGEST], LARGEST);
    while (true) {
      long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
      if (left <= 0) {
        throw new SocketTimeoutException();
      }
      socket.setSoTimeout(Math.toIntExact(left));
      answer.setLength(LARGEST);
      socket.receive(answer);
      if (answer.getSocketAddress().equals(target.address())) {
        return judge(Arrays.copyOf(answer.getData(), answer.getLength()));
      }
      if (answer.getPort() == target.address().getPort()) {
        return Optional.of(
            " answered from "
                + IpAddresses.format(answer.getAddress())
                + ", not from the VIP: bind the application to the VIP");
      }
    }
  }

  private Optional<String> judge(byte[] answer) {
    return target
        .answer()
        .filter(match -> !match.test(answer))
        .map(match -> " answered " + answer.length + " bytes with " + match.missing() + " in them");
  }
}
