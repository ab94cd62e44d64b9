package dev.caplance.control;

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
   * @return the result: a record of {@link dev.caplance.status} or JSON; null for none. It is
   *     written while the client reads it, so a large one is best a record, which needs no JSON in
   *     memory
   * @throws ControlException when it cannot be done; the client gets the code and the message
   * @throws InterruptedException when the server is stopping
   */
  Object call(JsonObject params, Caller caller) throws ControlException, InterruptedException;

  /** Whether a call changes the daemon's state; such calls are logged with their caller. */
  default boolean changesState() {
    return false;
  }

  /**
   * Whether a call may need much memory or computing time. Such calls take turns, each until its
   * client has read the result, so that a daemon needs room for one of them only.
   */
  default boolean takesTurns() {
    return false;
  }
}
