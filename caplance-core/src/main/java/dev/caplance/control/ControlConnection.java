package dev.caplance.control;

import com.google.gson.JsonNull;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import jnr.unixsocket.Credentials;
import jnr.unixsocket.UnixSocketChannel;
import jnr.unixsocket.UnixSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client of a {@link ControlServer}: reads requests and writes responses until the client
 * disconnects, sends no complete line within the idle timeout, or does not read its responses for
 * as long. Owns the channel; the thread that runs it closes it.
 */
final class ControlConnection implements Runnable {

  private static final Logger LOG = LoggerFactory.getLogger(ControlConnection.class);

  /** A response is written in pieces, between which the timeout is checked. */
  private static final int PIECE_BYTES = 16 * 1024;

  /** How long a client may stop reading a response; others may be waiting for their turn. */
  private static final Duration STALL = Duration.ofSeconds(5);

  private final UnixSocketChannel channel;
  private final RequestHandler handler;
  private final int maxLineBytes;
  private final Duration idleTimeout;
  private boolean stopping;

  ControlConnection(
      UnixSocketChannel channel, RequestHandler handler, int maxLineBytes, Duration idleTimeout) {
    this.channel = channel;
    this.handler = handler;
    this.maxLineBytes = maxLineBytes;
    this.idleTimeout = idleTimeout;
  }

  @Override
  public void run() {
    try {
      serve();
    } catch (SocketTimeoutException e) {
      LOG.debug("control: closing an idle connection: {}", e.getMessage());
    } catch (IOException e) {
      LOG.debug("control: a connection broke: {}", e.getMessage());
    } catch (RuntimeException | Error e) {
      LOG.error("control: closing a connection after an unexpected failure", e);
    } finally {
      close();
    }
  }

  /** Refuses the client with an error and closes; called instead of {@link #run}. */
  void refuse(String reason) {
    try {
      setTimeouts();
      OutputStream out = new Response();
      out.write(JsonRpc.error(JsonNull.INSTANCE, JsonRpc.BUSY, reason));
    } catch (IOException e) {
      LOG.debug("control: a refused connection broke: {}", e.getMessage());
    } finally {
      close();
    }
  }

  /** Lets the current request finish and accepts no more. Any thread may call. */
  synchronized void finish() {
    stopping = true;
    if (channel.isOpen()) {
      try {
        channel.shutdownInput();
      } catch (IOException e) {
        LOG.debug("control: cannot shut down a connection: {}", e.getMessage());
      }
    }
  }

  private synchronized boolean stopping() {
    return stopping;
  }

  private void serve() throws IOException {
    setTimeouts();
    Credentials credentials = channel.getOption(UnixSocketOptions.SO_PEERCRED);
    Caller caller =
        new Caller(
            Integer.toUnsignedLong(credentials.getUid()),
            Integer.toUnsignedLong(credentials.getGid()),
            credentials.getPid());
    LineReader lines = new LineReader(channel, maxLineBytes);
    while (!stopping()) {
      OutputStream out = new BufferedOutputStream(new Response(), PIECE_BYTES);
      try {
        byte[] line = lines.readLine(idleTimeout);
        if (line == null) {
          return;
        }
        handler.respond(line, caller, out);
      } catch (LineReader.LineTooLongException e) {
        out.write(
            JsonRpc.error(
                JsonNull.INSTANCE, JsonRpc.INVALID_REQUEST, "Invalid Request: " + e.getMessage()));
      }
      out.flush();
    }
  }

  private void setTimeouts() throws IOException {
    long idle = idleTimeout.toMillis();
    channel.setOption(UnixSocketOptions.SO_RCVTIMEO, Math.toIntExact(idle));
    channel.setOption(
        UnixSocketOptions.SO_SNDTIMEO, Math.toIntExact(Math.min(idle, STALL.toMillis())));
  }

  /** One response on its way to the client, which has the idle timeout to read it. */
  private final class Response extends OutputStream {

    private long start;

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (start == 0) {
        start = System.nanoTime();
      }
      for (ByteBuffer piece = ByteBuffer.wrap(bytes, offset, length); piece.hasRemaining(); ) {
        int n = channel.write(piece);
        if (n == 0 || System.nanoTime() - start > idleTimeout.toNanos()) {
          throw new SocketTimeoutException("the client does not read its response");
        }
      }
    }
  }

  private synchronized void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("control: cannot close a connection: {}", e.getMessage());
    }
  }
}
