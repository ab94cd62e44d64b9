package dev.caplance.control;

import com.google.gson.JsonNull;
import java.io.IOException;
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
  private static final int PIECE_BYTES = 64 * 1024;

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
      write(JsonRpc.error(JsonNull.INSTANCE, JsonRpc.TOO_MANY_CLIENTS, reason));
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
      byte[] response;
      try {
        byte[] line = lines.readLine(idleTimeout);
        if (line == null) {
          return;
        }
        response = handler.respond(line, caller);
      } catch (LineReader.LineTooLongException e) {
        response =
            JsonRpc.error(
                JsonNull.INSTANCE, JsonRpc.INVALID_REQUEST, "Invalid Request: " + e.getMessage());
      }
      if (response != null) {
        write(response);
      }
    }
  }

  private void setTimeouts() throws IOException {
    int millis = Math.toIntExact(idleTimeout.toMillis());
    channel.setOption(UnixSocketOptions.SO_RCVTIMEO, millis);
    channel.setOption(UnixSocketOptions.SO_SNDTIMEO, millis);
  }

  private void write(byte[] response) throws IOException {
    long start = System.nanoTime();
    for (int at = 0; at < response.length; ) {
      int length = Math.min(PIECE_BYTES, response.length - at);
      int n = channel.write(ByteBuffer.wrap(response, at, length));
      if (n == 0 || System.nanoTime() - start > idleTimeout.toNanos()) {
        throw new SocketTimeoutException("the client does not read its response");
      }
      at += n;
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
