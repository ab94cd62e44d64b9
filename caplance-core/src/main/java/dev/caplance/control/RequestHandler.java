package dev.caplance.control;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles requests: parses a line, calls its method, and writes the response. Nothing in a line can
 * make it fail. Any thread may call.
 */
final class RequestHandler {

  private static final Logger LOG = LoggerFactory.getLogger(RequestHandler.class);

  private final Map<String, ControlMethod> methods;
  private final Duration patience;

  /** The turn of the methods that take turns, in the order in which they asked for it. */
  private final Semaphore turn = new Semaphore(1, true);

  /**
   * A handler of calls of these methods.
   *
   * @param patience how long a call waits for its turn
   */
  RequestHandler(Map<String, ControlMethod> methods, Duration patience) {
    this.methods = new TreeMap<>(methods);
    this.patience = patience;
  }

  /**
   * Handles one line, and writes the response with its line feed, or nothing when the line is a
   * notification.
   *
   * @throws IOException when the stream does not take the response
   */
  void respond(byte[] line, Caller caller, OutputStream out) throws IOException {
    JsonElement value;
    try {
      value = JsonRpc.parse(line);
    } catch (JsonParseException e) {
      out.write(
          JsonRpc.error(
              JsonNull.INSTANCE,
              JsonRpc.PARSE_ERROR,
              "Parse error: the line is not one JSON value"));
      return;
    }
    String problem = problemOf(value);
    if (problem != null) {
      out.write(JsonRpc.error(idOf(value), JsonRpc.INVALID_REQUEST, "Invalid Request: " + problem));
      return;
    }
    JsonObject request = value.getAsJsonObject();
    call(request, caller, request.has("id") ? out : OutputStream.nullOutputStream());
  }

  /** Why this is not a JSON-RPC request; null if it is one. */
  private static String problemOf(JsonElement value) {
    if (value.isJsonArray()) {
      return "batches are not supported; send one request per line";
    }
    if (!value.isJsonObject()) {
      return "a request is an object";
    }
    JsonObject request = value.getAsJsonObject();
    if (!isString(request.get("jsonrpc"))
        || !request.get("jsonrpc").getAsString().equals(JsonRpc.VERSION)) {
      return "the member \"jsonrpc\" must be \"" + JsonRpc.VERSION + "\"";
    }
    if (request.has("id") && !isId(request.get("id"))) {
      return "the member \"id\" must be a string, a number or null";
    }
    if (!isString(request.get("method"))) {
      return "the member \"method\" must be a string";
    }
    JsonElement params = request.get("params");
    if (params != null && !params.isJsonObject() && !params.isJsonArray()) {
      return "the member \"params\" must be an object";
    }
    return null;
  }

  private static JsonElement idOf(JsonElement value) {
    if (value.isJsonObject() && isId(value.getAsJsonObject().get("id"))) {
      return value.getAsJsonObject().get("id");
    }
    return JsonNull.INSTANCE;
  }

  private static boolean isId(JsonElement id) {
    return id != null
        && (id.isJsonNull() || (id.isJsonPrimitive() && !id.getAsJsonPrimitive().isBoolean()));
  }

  private static boolean isString(JsonElement element) {
    return element != null && element.isJsonPrimitive() && element.getAsJsonPrimitive().isString();
  }

  private void call(JsonObject request, Caller caller, OutputStream out) throws IOException {
    JsonElement id = idOf(request);
    try {
      String name = request.get("method").getAsString();
      ControlMethod method = methods.get(name);
      if (method == null) {
        throw new ControlException(
            ControlException.METHOD_NOT_FOUND,
            "Method not found: this daemon has " + String.join(", ", methods.keySet()));
      }
      JsonElement params = request.has("params") ? request.get("params") : new JsonObject();
      if (params.isJsonArray()) {
        throw new ControlException(
            ControlException.INVALID_PARAMS,
            "Invalid params: parameters are named; send an object");
      }
      if (method.takesTurns()) {
        awaitTurn();
      }
      try {
        JsonRpc.writeResult(id, result(name, method, params.getAsJsonObject(), caller), out);
      } finally {
        if (method.takesTurns()) {
          turn.release();
        }
      }
    } catch (ControlException e) {
      out.write(JsonRpc.error(id, e.code(), e.getMessage()));
    }
  }

  private void awaitTurn() throws ControlException {
    try {
      if (!turn.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new ControlException(
            JsonRpc.BUSY,
            "the daemon has been busy with the calls of others for "
                + patience.toSeconds()
                + " s; try again later");
      }
    } catch (InterruptedException e) {
      throw stopping();
    }
  }

  private static ControlException stopping() {
    Thread.currentThread().interrupt();
    return new ControlException(JsonRpc.INTERNAL_ERROR, "Internal error: the daemon is stopping");
  }

  private static Object result(String name, ControlMethod method, JsonObject params, Caller caller)
      throws ControlException {
    try {
      Object result = method.call(params, caller);
      report(method, name, caller, "done");
      return result;
    } catch (ControlException e) {
      report(method, name, caller, e.getMessage());
      throw e;
    } catch (InterruptedException e) {
      report(method, name, caller, "interrupted, the daemon is stopping");
      throw stopping();
    } catch (RuntimeException | Error e) {
      LOG.error("control: {} by {} failed", name, caller, e);
      throw new ControlException(
          JsonRpc.INTERNAL_ERROR, "Internal error: " + e + "; see the daemon's log");
    }
  }

  private static void report(ControlMethod method, String name, Caller caller, String outcome) {
    if (method.changesState()) {
      LOG.info("control: {} by {}: {}", name, caller, outcome);
    } else {
      LOG.debug("control: {} by {}: {}", name, caller, outcome);
    }
  }
}
