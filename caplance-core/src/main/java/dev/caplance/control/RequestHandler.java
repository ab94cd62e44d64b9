package dev.caplance.control;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles requests: parses a line, calls its method, and builds the response. Nothing in a line can
 * make it fail. Any thread may call.
 */
final class RequestHandler {

  private static final Logger LOG = LoggerFactory.getLogger(RequestHandler.class);

  private final Map<String, ControlMethod> methods;

  RequestHandler(Map<String, ControlMethod> methods) {
    this.methods = new TreeMap<>(methods);
  }

  /**
   * Handles one line.
   *
   * @return the response with its line feed, or null when the line is a notification
   */
  byte[] respond(byte[] line, Caller caller) {
    JsonElement value;
    try {
      value = JsonRpc.parse(line);
    } catch (JsonParseException e) {
      return JsonRpc.error(
          JsonNull.INSTANCE, JsonRpc.PARSE_ERROR, "Parse error: the line is not one JSON value");
    }
    String problem = problemOf(value);
    if (problem != null) {
      return JsonRpc.error(idOf(value), JsonRpc.INVALID_REQUEST, "Invalid Request: " + problem);
    }
    JsonObject request = value.getAsJsonObject();
    byte[] response = call(request, caller);
    return request.has("id") ? response : null;
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

  private byte[] call(JsonObject request, Caller caller) {
    JsonElement id = idOf(request);
    try {
      return JsonRpc.result(id, result(request, caller));
    } catch (ControlException e) {
      return JsonRpc.error(id, e.code(), e.getMessage());
    }
  }

  private JsonElement result(JsonObject request, Caller caller) throws ControlException {
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
          ControlException.INVALID_PARAMS, "Invalid params: parameters are named; send an object");
    }
    try {
      JsonElement result = method.call(params.getAsJsonObject(), caller);
      report(method, name, caller, "done");
      return result == null ? JsonNull.INSTANCE : result;
    } catch (ControlException e) {
      report(method, name, caller, e.getMessage());
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      report(method, name, caller, "interrupted, the daemon is stopping");
      throw new ControlException(JsonRpc.INTERNAL_ERROR, "Internal error: the daemon is stopping");
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
