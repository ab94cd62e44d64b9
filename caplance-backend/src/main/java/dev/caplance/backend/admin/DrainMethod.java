package dev.caplance.backend.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.caplance.backend.drain.DrainStatus;
import dev.caplance.backend.drain.Drainer;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * {@code drain} with the parameters {@code deadlineMillis} (a number; absent or null: none) and
 * {@code wait} (whether to answer only when the drain is over; absent: false).
 */
final class DrainMethod implements ControlMethod {

  private static final String DEADLINE = "deadlineMillis";
  private static final String WAIT = "wait";
  private static final double MAX_MILLIS = Duration.ofDays(365).toMillis();

  private final String name;
  private final Drainer drainer;

  /**
   * The command.
   *
   * @param name of the backend
   */
  DrainMethod(String name, Drainer drainer) {
    this.name = name;
    this.drainer = drainer;
  }

  @Override
  public boolean changesState() {
    return true;
  }

  @Override
  public JsonElement call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    for (String key : params.keySet()) {
      if (!List.of(DEADLINE, WAIT).contains(key)) {
        throw invalid("'" + key + "' is no parameter; known are " + DEADLINE + " and " + WAIT);
      }
    }
    Optional<Duration> deadline = deadline(params);
    boolean wait = waits(params);
    JsonObject json = CommandMethod.json(name, Waiting.forResult(drainer.drain(deadline)));
    if (wait) {
      drainer.awaitEnd();
    }
    drainer.status().ifPresent(status -> json.add("drain", json(status)));
    return json;
  }

  private static Optional<Duration> deadline(JsonObject params) throws ControlException {
    JsonElement given = params.get(DEADLINE);
    if (given == null || given.isJsonNull()) {
      return Optional.empty();
    }
    if (given instanceof JsonPrimitive number && number.isNumber()) {
      double millis = number.getAsDouble();
      if (millis >= 0 && millis <= MAX_MILLIS) {
        return Optional.of(Duration.ofMillis((long) millis));
      }
    }
    throw invalid(DEADLINE + " is a number of milliseconds, at most a year, or null");
  }

  private static boolean waits(JsonObject params) throws ControlException {
    JsonElement given = params.get(WAIT);
    if (given == null) {
      return false;
    }
    if (given instanceof JsonPrimitive value && value.isBoolean()) {
      return value.getAsBoolean();
    }
    throw invalid(WAIT + " is true or false");
  }

  private static ControlException invalid(String message) {
    return new ControlException(ControlException.INVALID_PARAMS, message);
  }

  /** How far a drain has come. */
  static JsonObject json(DrainStatus status) {
    JsonObject json = new JsonObject();
    json.addProperty("state", status.state().word());
    json.addProperty(
        "connections", status.connections().isPresent() ? status.connections().getAsInt() : null);
    json.addProperty("remainingMillis", status.remaining().map(Duration::toMillis).orElse(null));
    json.addProperty("text", status.text());
    return json;
  }
}
