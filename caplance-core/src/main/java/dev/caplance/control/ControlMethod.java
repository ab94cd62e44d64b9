package dev.caplance.control;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/**
 * One method that a daemon offers on its control socket. It is called from the connection's own
 * thread, from several at once when there are several clients, and may block until its work is
 * done; it should end by itself, since a client that gives up does not end it.
 */
@FunctionalInterface
public interface ControlMethod {

  /**
   * Does the work.
   *
   * @param params the named parameters, empty when the request has none
   * @param caller who asks
   * @return the result
   * @throws ControlException when it cannot be done; the client is told the code and the message
   * @throws InterruptedException when the server stops meanwhile
   */
  JsonElement call(JsonObject params, Caller caller) throws ControlException, InterruptedException;

  /** Whether a call changes the daemon's state; such calls are logged with their caller. */
  default boolean changesState() {
    return false;
  }

  /** The same method, marked as one that changes the daemon's state. */
  static ControlMethod changing(ControlMethod method) {
    return new ControlMethod() {
      @Override
      public JsonElement call(JsonObject params, Caller caller)
          throws ControlException, InterruptedException {
        return method.call(params, caller);
      }

      @Override
      public boolean changesState() {
        return true;
      }
    };
  }
}
