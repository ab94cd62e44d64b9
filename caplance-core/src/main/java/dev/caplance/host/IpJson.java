package dev.caplance.host;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.function.Consumer;

/** Reads what {@code ip -json …} writes: an object for each network interface. */
public final class IpJson {

  private IpJson() {}

  /**
   * Gives each object to a reader, in the kernel's order.
   *
   * @param command that wrote it, for the error
   * @param reader may assume what it needs to find
   * @throws IOException when that is not there
   */
  public static void read(String command, String json, Consumer<JsonObject> reader)
      throws IOException {
    try {
      for (JsonElement element : JsonParser.parseString(json).getAsJsonArray()) {
        reader.accept(element.getAsJsonObject());
      }
    } catch (JsonParseException | IllegalStateException | NullPointerException e) {
      throw new IOException("'" + command + "' wrote something unexpected: " + e, e);
    }
  }
}
