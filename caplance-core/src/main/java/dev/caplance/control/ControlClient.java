package dev.caplance.control;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import dev.caplance.control.ControlConnectionException.Kind;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;

/**
 * Calls the methods of a daemon on its control socket. Uses the JDK's own Unix-domain channel and
 * nothing native besides, so that a command line starts quickly. Used by one thread at a time;
 * after a {@link ControlConnectionException} it is of no more use.
 */
public final class ControlClient implements Closeable {

  /** An answer longer than this is not a daemon's. */
  private static final int MAX_ANSWER_BYTES = 64 * 1024 * 1024;

  private final Path path;
  private final SocketChannel channel;
  private final LineReader lines;
  private long lastId;

  private ControlClient(Path path, SocketChannel channel) {
    this.path = path;
    this.channel = channel;
    this.lines = new LineReader(channel, MAX_ANSWER_BYTES);
  }

  /**
   * Connects to the daemon that serves a path.
   *
   * @param timeout above zero
   * @throws ControlConnectionException when there is no daemon, when this user may not connect, or
   *     when a daemon that hangs has not let us in in time
   */
  public static ControlClient connect(Path path, Duration timeout)
      throws ControlConnectionException {
    SocketChannel channel;
    try {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    } catch (IOException e) {
      throw new ControlConnectionException(Kind.BROKEN, "cannot open a socket: " + e, e);
    }
    ControlClient client = new ControlClient(path, channel);
    Deadline deadline = new Deadline(channel, timeout);
    try (deadline) {
      channel.connect(UnixDomainSocketAddress.of(path));
      return client;
    } catch (IOException e) {
      client.close();
      throw deadline.passed() ? client.timeout(timeout, e) : client.refusal(e);
    }
  }

  /**
   * Calls a method and waits for its answer.
   *
   * @param params the named parameters, empty for none
   * @param timeout above zero
   * @return the result
   * @throws ControlException when the daemon answers with an error
   * @throws ControlConnectionException when it does not answer
   */
  public JsonElement call(String method, JsonObject params, Duration timeout)
      throws ControlException, ControlConnectionException {
    long id = ++lastId;
    Deadline deadline = new Deadline(channel, timeout);
    byte[] answer;
    try (deadline) {
      answer = exchange(JsonRpc.request(id, method, params), timeout);
    } catch (LineReader.LineTooLongException e) {
      throw notAnAnswer(e.getMessage(), e);
    } catch (IOException e) {
      if (deadline.passed() || e instanceof SocketTimeoutException) {
        throw timeout(timeout, e);
      }
      throw new ControlConnectionException(
          Kind.BROKEN, "the connection to " + path + " broke: " + e.getMessage(), e);
    }
    return result(answer, id);
  }

  private byte[] exchange(byte[] request, Duration timeout) throws IOException {
    IOException sending = null;
    try {
      for (ByteBuffer bytes = ByteBuffer.wrap(request); bytes.hasRemaining(); ) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      // A daemon that refuses us says why before it closes: that is what the caller wants to know.
      sending = e;
    }
    byte[] answer = lines.readLine(timeout);
    if (answer == null) {
      throw sending != null ? sending : new EOFException("closed by the daemon without an answer");
    }
    return answer;
  }

  private JsonElement result(byte[] line, long id)
      throws ControlException, ControlConnectionException {
    JsonObject answer;
    try {
      answer = JsonRpc.parse(line).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      throw notAnAnswer("not a JSON object", e);
    }
    if (!new JsonPrimitive(JsonRpc.VERSION).equals(answer.get("jsonrpc"))
        || answer.has("result") == answer.has("error")) {
      throw notAnAnswer("not JSON-RPC 2.0", null);
    }
    boolean ofThisCall = new JsonPrimitive(id).equals(answer.get("id"));
    if (answer.has("result") && ofThisCall) {
      return answer.get("result");
    }
    // What the daemon could not read, and whom it did not let in, it tells without an id.
    if (answer.has("error") && (ofThisCall || JsonNull.INSTANCE.equals(answer.get("id")))) {
      throw error(answer.get("error"));
    }
    throw notAnAnswer("another call's id", null);
  }

  private ControlException error(JsonElement error) throws ControlConnectionException {
    try {
      JsonObject object = error.getAsJsonObject();
      return new ControlException(
          object.getAsJsonPrimitive("code").getAsInt(),
          object.getAsJsonPrimitive("message").getAsString());
    } catch (RuntimeException e) {
      throw notAnAnswer("an error without a code or a message", e);
    }
  }

  /** Says why connecting failed. The texts of the system's errors depend on the user's language. */
  private ControlConnectionException refusal(IOException cause) {
    try {
      Files.readAttributes(path, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      return new ControlConnectionException(
          Kind.NO_DAEMON, "no daemon is running here: " + path + " does not exist", cause);
    } catch (AccessDeniedException e) {
      return new ControlConnectionException(
          Kind.NO_PERMISSION, "no permission to look at " + path, cause);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
    if (cause instanceof ConnectException) {
      return new ControlConnectionException(
          Kind.NO_DAEMON, "no daemon is running here: nobody serves " + path, cause);
    }
    if (!Files.isWritable(path)) {
      return new ControlConnectionException(
          Kind.NO_PERMISSION,
          "no permission to connect to " + path + "; root and members of its group may",
          cause);
    }
    return new ControlConnectionException(
        Kind.BROKEN, "cannot connect to " + path + ": " + cause.getMessage(), cause);
  }

  private ControlConnectionException timeout(Duration timeout, IOException cause) {
    return new ControlConnectionException(
        Kind.TIMEOUT,
        "the daemon at " + path + " did not answer within " + timeout.toMillis() + " ms",
        cause);
  }

  private ControlConnectionException notAnAnswer(String what, Exception cause) {
    return new ControlConnectionException(
        Kind.PROTOCOL, "what " + path + " answered is no answer of a daemon: " + what, cause);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
