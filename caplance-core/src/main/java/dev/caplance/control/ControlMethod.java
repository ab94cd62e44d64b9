package dev.caplance.control;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/**
 * A method that a daemon offers on its control socket. It is called by the connection's own thread,
 * by several at once if there are several clients, and may block until its work is done. It must
 * return eventually: a client that gives up does not interrupt it.
 */
@FunctionalInterface
public interface ControlMethod {

  /**
   * Does the work.
   *
   * @param params the named parameters, empty when the request has none
   * @param caller the process that calls
   * @return the result
   * @throws ControlException when it cannot be done; the client gets the code and the message
   * @throws InterruptedException when the server is stopping
   */
  JsonElement call(JsonObject params, Caller caller) throws ControlException, InterruptedException;

  /** Whether a call changes the daemon's state; such calls are logged with their caller. */
  default boolean changesState() {
    return false;
  }
}
