package dev.caplance.lb.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.caplance.control.ControlException;
import java.util.Optional;

/** The parameters of a call. The caller gets an error for what is missing or of the wrong type. */
final class Params {

  private final JsonObject json;

  Params(JsonObject json) {
    this.json = json;
  }

  /**
   * A string that must be there.
   *
   * @param example shown when it is missing
   */
  String text(String name, String example) throws ControlException {
    return find(name)
        .orElseThrow(
            () -> invalid("the parameter '" + name + "' is missing; an example: " + example));
  }

  /** A string that may be absent or null. */
  Optional<String> find(String name) throws ControlException {
    JsonElement value = json.get(name);
    if (value == null || value.isJsonNull()) {
      return Optional.empty();
    }
    if (value instanceof JsonPrimitive primitive && primitive.isString()) {
      return Optional.of(value.getAsString());
    }
    throw invalid("the parameter '" + name + "' is not a string");
  }

  /** A whole number in this range that may be absent or null. */
  Optional<Integer> findInteger(String name, int min, int max) throws ControlException {
    JsonElement value = json.get(name);
    if (value == null || value.isJsonNull()) {
      return Optional.empty();
    }
    if (value instanceof JsonPrimitive primitive
        && primitive.isNumber()
        && primitive.getAsString().matches("\\d{1,9}")
        && primitive.getAsInt() >= min
        && primitive.getAsInt() <= max) {
      return Optional.of(primitive.getAsInt());
    }
    throw invalid("the parameter '" + name + "' is not a whole number from " + min + " to " + max);
  }

  static ControlException invalid(String message) {
    return new ControlException(ControlException.INVALID_PARAMS, message);
  }
}
