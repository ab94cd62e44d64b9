package dev.caplance.control;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;

/** Splits the bytes of a blocking channel into lines of bounded length. Used by one thread. */
final class LineReader {

  private static final int BUFFER_BYTES = 8192;

  /** A line is longer than the limit; the next read skips the rest of it. */
  static final class LineTooLongException extends IOException {
    private LineTooLongException(int maxBytes) {
      super("a line is longer than " + maxBytes + " bytes");
    }
  }

  private final ReadableByteChannel channel;
  private final int maxBytes;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).flip();
  private boolean skipping;

  /**
   * A reader of a channel.
   *
   * @param maxBytes how long a line may be, without its line feed
   */
  LineReader(ReadableByteChannel channel, int maxBytes) {
    this.channel = channel;
    this.maxBytes = maxBytes;
  }

  /**
   * Reads the next line, without its line feed.
   *
   * @param timeout for the whole line, checked whenever the channel delivers something
   * @return the line, or null at the end; a last line without a line feed is incomplete and is
   *     dropped
   * @throws LineTooLongException once for each line that is too long
   * @throws SocketTimeoutException when the timeout or the channel's own has expired
   */
  byte[] readLine(Duration timeout) throws IOException {
    long start = System.nanoTime();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      while (buffer.hasRemaining()) {
        byte b = buffer.get();
        if (b == '\n' && !skipping) {
          return line.toByteArray();
        } else if (b == '\n') {
          skipping = false;
        } else if (!skipping && line.size() == maxBytes) {
          skipping = true;
          throw new LineTooLongException(maxBytes);
        } else if (!skipping) {
          line.write(b);
        }
      }
      if (System.nanoTime() - start > timeout.toNanos()) {
        throw new SocketTimeoutException("no complete line within " + timeout.toMillis() + " ms");
      }
      if (!fill()) {
        return null;
      }
    }
  }

  private boolean fill() throws IOException {
    buffer.clear();
    int n = channel.read(buffer);
    buffer.flip();
    if (n == 0) {
      // How a jnr channel reports that SO_RCVTIMEO has expired.
      throw new SocketTimeoutException("nothing was sent");
    }
    return n > 0;
  }
}
