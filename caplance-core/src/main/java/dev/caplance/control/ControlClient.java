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
 * no native library, so that a command line starts quickly. Used by one thread at a time; not
 * usable after a {@link ControlConnectionException}.
 */
public final class ControlClient implements Closeable {

  /** No daemon sends a longer response. */
  private static final int MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

  private final Path path;
  private final SocketChannel channel;
  private final LineReader lines;
  private long lastId;

  private ControlClient(Path path, SocketChannel channel) {
    this.path = path;
    this.channel = channel;
    this.lines = new LineReader(channel, MAX_RESPONSE_BYTES);
  }

  /**
   * Connects to the daemon that listens on a path.
   *
   * @param timeout above zero
   * @throws ControlConnectionException when there is no daemon, when this user may not connect, or
   *     when the daemon hangs and does not accept the connection in time
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
   * Calls a method and waits for its response.
   *
   * @param params the named parameters, empty for none
   * @param timeout above zero
   * @return the result
   * @throws ControlException when the daemon responds with an error
   * @throws ControlConnectionException when it does not respond properly
   */
  public JsonElement call(String method, JsonObject params, Duration timeout)
      throws ControlException, ControlConnectionException {
    long id = ++lastId;
    Deadline deadline = new Deadline(channel, timeout);
    byte[] response;
    try (deadline) {
      response = exchange(JsonRpc.request(id, method, params), timeout);
    } catch (LineReader.LineTooLongException e) {
      throw badResponse(e.getMessage(), e);
    } catch (IOException e) {
      if (deadline.passed() || e instanceof SocketTimeoutException) {
        throw timeout(timeout, e);
      }
      throw new ControlConnectionException(
          Kind.BROKEN, "the connection to " + path + " broke: " + e.getMessage(), e);
    }
    return result(response, id);
  }

  private byte[] exchange(byte[] request, Duration timeout) throws IOException {
    IOException sending = null;
    try {
      for (ByteBuffer bytes = ByteBuffer.wrap(request); bytes.hasRemaining(); ) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      // A daemon that refuses a client says why before it closes; the caller needs that reason.
      sending = e;
    }
    byte[] response = lines.readLine(timeout);
    if (response == null) {
      throw sending != null ? sending : new EOFException("the daemon closed it without a response");
    }
    return response;
  }

  private JsonElement result(byte[] line, long id)
      throws ControlException, ControlConnectionException {
    JsonObject response;
    try {
      response = JsonRpc.parse(line).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      throw badResponse("not a JSON object", e);
    }
    if (!new JsonPrimitive(JsonRpc.VERSION).equals(response.get("jsonrpc"))
        || response.has("result") == response.has("error")) {
      throw badResponse("not JSON-RPC 2.0", null);
    }
    boolean ofThisCall = new JsonPrimitive(id).equals(response.get("id"));
    if (response.has("result") && ofThisCall) {
      return response.get("result");
    }
    // The daemon reports what it could not read, and refuses clients, without an id.
    if (response.has("error") && (ofThisCall || JsonNull.INSTANCE.equals(response.get("id")))) {
      throw error(response.get("error"));
    }
    throw badResponse("another call's id", null);
  }

  private ControlException error(JsonElement error) throws ControlConnectionException {
    try {
      JsonObject object = error.getAsJsonObject();
      return new ControlException(
          object.getAsJsonPrimitive("code").getAsInt(),
          object.getAsJsonPrimitive("message").getAsString());
    } catch (RuntimeException e) {
      throw badResponse("an error without a code or a message", e);
    }
  }

  /** Finds out why connecting failed; the system's error messages depend on the user's language. */
  private ControlConnectionException refusal(IOException cause) {
    try {
      Files.readAttributes(path, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      return new ControlConnectionException(
          Kind.NO_DAEMON, "no daemon is running here: " + path + " does not exist", cause);
    } catch (AccessDeniedException e) {
      return new ControlConnectionException(
          Kind.NO_PERMISSION, "no permission to access " + path, cause);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
    if (cause instanceof ConnectException) {
      return new ControlConnectionException(
          Kind.NO_DAEMON, "no daemon is running here: nothing listens on " + path, cause);
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

  private ControlConnectionException badResponse(String what, Exception cause) {
    return new ControlConnectionException(
        Kind.PROTOCOL, "the response from " + path + " is not one of a daemon: " + what, cause);
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
