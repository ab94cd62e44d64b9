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
 * One client of a {@link ControlServer}: reads lines and answers them, until the client goes, says
 * nothing whole for the idle timeout, or does not take its answers for as long. Owns the channel;
 * the thread that runs it closes it.
 */
final class ControlConnection implements Runnable {

  private static final Logger LOG = LoggerFactory.getLogger(ControlConnection.class);

  /** An answer is written in pieces so that the timeout is looked at between them. */
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

  /** Lets the request that is being served be answered and takes no more. Any thread may call. */
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
      byte[] answer;
      try {
        byte[] line = lines.readLine(idleTimeout);
        if (line == null) {
          return;
        }
        answer = handler.answer(line, caller);
      } catch (LineReader.LineTooLongException e) {
        answer =
            JsonRpc.error(
                JsonNull.INSTANCE, JsonRpc.INVALID_REQUEST, "Invalid Request: " + e.getMessage());
      }
      if (answer != null) {
        write(answer);
      }
    }
  }

  private void setTimeouts() throws IOException {
    int millis = Math.toIntExact(idleTimeout.toMillis());
    channel.setOption(UnixSocketOptions.SO_RCVTIMEO, millis);
    channel.setOption(UnixSocketOptions.SO_SNDTIMEO, millis);
  }

  private void write(byte[] answer) throws IOException {
    long start = System.nanoTime();
    for (int at = 0; at < answer.length; ) {
      int length = Math.min(PIECE_BYTES, answer.length - at);
      int n = channel.write(ByteBuffer.wrap(answer, at, length));
      if (n == 0 || System.nanoTime() - start > idleTimeout.toNanos()) {
        throw new SocketTimeoutException("the client does not take its answer");
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
