package dev.caplance.host;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.function.Consumer;

/** Reads the output of {@code ip -json …}: an object for each network interface. */
public final class IpJson {

  private IpJson() {}

  /**
   * Passes each object to a reader, in the kernel's order.
   *
   * @param command what printed it, for the error message
   * @param reader may rely on the members that it needs
   * @throws IOException when the text is something else, or a member is missing or wrong
   */
  public static void read(String command, String json, Consumer<JsonObject> reader)
      throws IOException {
    try {
      for (JsonElement element : JsonParser.parseString(json).getAsJsonArray()) {
        reader.accept(element.getAsJsonObject());
      }
    } catch (JsonParseException
        | IllegalStateException
        | IllegalArgumentException
        | UnsupportedOperationException
        | NullPointerException e) {
      throw new IOException("'" + command + "' printed something unexpected: " + e, e);
    }
  }
}
