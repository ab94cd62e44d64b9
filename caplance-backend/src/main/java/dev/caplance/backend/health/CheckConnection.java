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

/** A TCP connection with one timeout for its whole life. Interrupting the thread closes it. */
final class CheckConnection implements Closeable {

  private final Socket socket;
  private final Duration timeout;
  private final long deadline;

  /** Connects, within the timeout. */
  CheckConnection(InetSocketAddress address, Duration timeout) throws IOException {
    this.timeout = timeout;
    this.deadline = System.nanoTime() + timeout.toNanos();
    // The socket of a channel: an interrupt closes no other.
    this.socket = SocketChannel.open().socket();
    try {
      socket.connect(address, millisLeft());
      // On one machine TCP can connect a socket to itself, if the socket gets that port as its own.
      if (address.equals(socket.getLocalSocketAddress())) {
        throw new ConnectException("Connection refused");
      }
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Sends a request, which must be small enough for any socket's buffer. */
  void send(byte[] request) throws IOException {
    socket.getOutputStream().write(request);
  }

  /**
   * Reads what has arrived, waiting for at least one byte.
   *
   * @return the number of bytes, or -1 at the end of the stream
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
   * What went wrong, in words for operators: {@code connection refused}.
   *
   * @throws InterruptedException if the thread was interrupted, which closed the connection
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
