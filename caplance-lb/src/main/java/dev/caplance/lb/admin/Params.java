package dev.caplance.lb.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.caplance.control.ControlException;
import java.util.Optional;

/**
 * The parameters of a call. Missing parameters and wrong types are errors that the caller is told.
 */
final class Params {

  private final JsonObject json;

  Params(JsonObject json) {
    this.json = json;
  }

  /**
   * A required string.
   *
   * @param example shown if it is missing
   * @throws ControlException with {@link ControlException#INVALID_PARAMS} if it is missing or not a
   *     string
   */
  String text(String name, String example) throws ControlException {
    return find(name)
        .orElseThrow(
            () -> invalid("the parameter '" + name + "' is missing; an example is " + example));
  }

  /** An optional string; null counts as absent. */
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

  /** An optional whole number from {@code min} to {@code max}; null counts as absent. */
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
