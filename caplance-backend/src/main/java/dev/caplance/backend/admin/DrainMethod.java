package dev.caplance.backend.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.caplance.backend.drain.DrainStatus;
import dev.caplance.backend.drain.Drainer;
import dev.caplance.backend.drain.OngoingFlows;
import dev.caplance.backend.session.CommandResult;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.status.BackendDaemonStatus;
import dev.caplance.status.BackendDaemonStatus.DrainState;
import dev.caplance.status.CommandOutcome;
import dev.caplance.status.StatusJson;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** {@code drain}; its parameters are described at {@link CommandOutcome}. */
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
        throw invalid(
            "'" + key + "' is not a parameter; the parameters are " + DEADLINE + " and " + WAIT);
      }
    }
    Optional<Duration> deadline = deadline(params);
    boolean wait = waits(params);
    CommandResult result = CommandMethod.awaitResult(drainer.drain(deadline));
    if (wait) {
      drainer.awaitEnd();
    }
    return StatusJson.write(
        CommandMethod.outcome(name, result, drainer.status().map(DrainMethod::drain).orElse(null)));
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
    throw invalid(DEADLINE + " must be a number of milliseconds, at most a year, or null");
  }

  private static boolean waits(JsonObject params) throws ControlException {
    JsonElement given = params.get(WAIT);
    if (given == null) {
      return false;
    }
    if (given instanceof JsonPrimitive value && value.isBoolean()) {
      return value.getAsBoolean();
    }
    throw invalid(WAIT + " must be true or false");
  }

  private static ControlException invalid(String message) {
    return new ControlException(ControlException.INVALID_PARAMS, message);
  }

  /** The progress of a drain. */
  static BackendDaemonStatus.Drain drain(DrainStatus status) {
    DrainState state =
        switch (status.state()) {
          case DRAINING -> DrainState.DRAINING;
          case DRAINED -> DrainState.DRAINED;
          case DEADLINE -> DrainState.DEADLINE;
          case CANCELLED -> DrainState.CANCELLED;
        };
    return new BackendDaemonStatus.Drain(
        state,
        status.left().map(OngoingFlows::connections).orElse(null),
        status.remaining().map(Duration::toMillis).orElse(null),
        status.text(),
        status.left().map(OngoingFlows::udpFlows).orElse(null));
  }
}
