package dev.caplance.backend.health;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Locale;

/**
 * A TCP connection all of whose life has to fit into one timeout. An interrupt of the thread closes
 * it.
 */
final class Connection implements Closeable {

  private final Socket socket;
  private final Duration timeout;
  private final long deadline;

  /** Connects, if it can within the timeout. */
  Connection(InetSocketAddress address, Duration timeout) throws IOException {
    this.timeout = timeout;
    this.deadline = System.nanoTime() + timeout.toNanos();
    // The socket of a channel: only that one is closed by an interrupt.
    this.socket = SocketChannel.open().socket();
    try {
      socket.connect(address, millisLeft());
      // TCP may connect a socket on this machine to itself, when it gets the port as its own.
      if (address.equals(socket.getLocalSocketAddress())) {
        throw new ConnectException("Connection refused");
      }
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Sends; for requests that are small enough for any socket's buffer. */
  void send(byte[] request) throws IOException {
    socket.getOutputStream().write(request);
  }

  /**
   * Reads what has come, at least one byte.
   *
   * @return how many, or -1 at the end
   */
  int read(byte[] into, int from) throws IOException {
    socket.setSoTimeout(millisLeft());
    return socket.getInputStream().read(into, from, into.length - from);
  }

  private int millisLeft() throws SocketTimeoutException {
    long millis = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
    if (millis <= 0) {
      throw new SocketTimeoutException("no answer within " + timeout.toMillis() + " ms");
    }
    return Math.toIntExact(millis);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /**
   * What went wrong, as operators say it: {@code connection refused}.
   *
   * @throws InterruptedException when it was that the thread has been interrupted
   */
  static String describe(IOException e, Duration timeout) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    if (e instanceof SocketTimeoutException) {
      return "no answer within " + timeout.toMillis() + " ms";
    }
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
  }
}
