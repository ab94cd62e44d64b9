package dev.caplance.control;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import dev.caplance.status.StatusJson;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.StringReader;
import java.io.Writer;
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

  /** The server accepts no more clients, or does not get to this call. */
  static final int BUSY = -32000;

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

  /**
   * Writes the response to a call as it goes along.
   *
   * @param result a record of {@link dev.caplance.status}, JSON, or null
   * @throws IOException when the stream does not take it
   */
  static void writeResult(JsonElement id, Object result, OutputStream out) throws IOException {
    Writer text = new OutputStreamWriter(out, StandardCharsets.UTF_8);
    JsonWriter json = new JsonWriter(text);
    json.beginObject().name("jsonrpc").value(VERSION).name("result");
    StatusJson.write(result, json);
    json.name("id");
    StatusJson.write(id, json);
    json.endObject();
    text.write('\n');
    text.flush();
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
