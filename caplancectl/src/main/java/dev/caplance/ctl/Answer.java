package dev.caplance.ctl;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON object read with forbearance: what is missing, null or of another kind than expected reads
 * as empty, because the daemon may be older or newer than this command.
 */
final class Answer {

  private final JsonObject object;

  Answer(JsonElement element) {
    this.object =
        element != null && element.isJsonObject() ? element.getAsJsonObject() : new JsonObject();
  }

  /** A text, or the empty one. Control characters, which could play with a terminal, are masked. */
  String text(String name) {
    JsonElement element = object.get(name);
    return element != null && element.isJsonPrimitive() ? printable(element.getAsString()) : "";
  }

  /** A whole number, or null. */
  Long number(String name) {
    return number(object.get(name));
  }

  /** Whether the member is there and true. */
  boolean flag(String name) {
    return new JsonPrimitive(true).equals(object.get(name));
  }

  Answer object(String name) {
    return new Answer(object.get(name));
  }

  List<Answer> objects(String name) {
    List<Answer> answers = new ArrayList<>();
    for (JsonElement element : elements(name)) {
      answers.add(new Answer(element));
    }
    return answers;
  }

  List<String> texts(String name) {
    List<String> texts = new ArrayList<>();
    for (JsonElement element : elements(name)) {
      if (element.isJsonPrimitive()) {
        texts.add(printable(element.getAsString()));
      }
    }
    return texts;
  }

  /** An object of counts by reason, in the daemon's order. */
  Map<String, Long> counts(String name) {
    Map<String, Long> counts = new LinkedHashMap<>();
    for (Map.Entry<String, JsonElement> entry : object(name).object.entrySet()) {
      Long count = number(entry.getValue());
      if (count != null) {
        counts.put(printable(entry.getKey()), count);
      }
    }
    return counts;
  }

  private Iterable<JsonElement> elements(String name) {
    JsonElement element = object.get(name);
    return element != null && element.isJsonArray() ? element.getAsJsonArray() : List.of();
  }

  private static Long number(JsonElement element) {
    if (element == null || !element.isJsonPrimitive()) {
      return null;
    }
    try {
      return element.getAsLong();
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static String printable(String text) {
    StringBuilder masked = new StringBuilder(text);
    for (int i = 0; i < masked.length(); i++) {
      if (Character.isISOControl(masked.charAt(i))) {
        masked.setCharAt(i, '?');
      }
    }
    return masked.toString();
  }
}
