package dev.caplance.control;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The messages of JSON-RPC 2.0 as lines of UTF-8. */
final class JsonRpc {

  static final String VERSION = "2.0";

  /** The line is not JSON. */
  static final int PARSE_ERROR = -32700;

  /** The JSON is not a request. */
  static final int INVALID_REQUEST = -32600;

  /** The method failed unexpectedly. */
  static final int INTERNAL_ERROR = -32603;

  /** The server accepts no more clients. */
  static final int TOO_MANY_CLIENTS = -32000;

  private JsonRpc() {}

  /**
   * Reads one JSON value (strictly as in RFC 8259) that fills the line.
   *
   * @throws JsonParseException when the line is anything else
   */
  static JsonElement parse(byte[] line) {
    try (JsonReader reader = new JsonReader(new StringReader(text(line)))) {
      reader.setStrictness(Strictness.STRICT);
      if (reader.peek() == JsonToken.END_DOCUMENT) {
        throw new JsonParseException("the line is empty");
      }
      JsonElement value = JsonParser.parseReader(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new JsonParseException("the line holds more than one value");
      }
      return value;
    } catch (IOException e) {
      throw new JsonParseException(e);
    }
  }

  private static String text(byte[] line) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
  }

  static byte[] request(long id, String method, JsonObject params) {
    JsonObject request = message();
    request.addProperty("id", id);
    request.addProperty("method", method);
    if (!params.isEmpty()) {
      request.add("params", params);
    }
    return line(request);
  }

  static byte[] result(JsonElement id, JsonElement result) {
    JsonObject response = message();
    response.add("result", result);
    response.add("id", id);
    return line(response);
  }

  static byte[] error(JsonElement id, int code, String text) {
    JsonObject error = new JsonObject();
    error.addProperty("code", code);
    error.addProperty("message", text);
    JsonObject response = message();
    response.add("error", error);
    response.add("id", id);
    return line(response);
  }

  private static JsonObject message() {
    JsonObject message = new JsonObject();
    message.addProperty("jsonrpc", VERSION);
    return message;
  }

  private static byte[] line(JsonObject message) {
    return (message + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
