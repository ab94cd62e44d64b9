package dev.caplance.control;

import java.io.IOException;

/** A call that was not answered: the daemon was not reached, or did not answer as it should. */
public final class ControlConnectionException extends IOException {

  /** What stood in the way. */
  public enum Kind {
    /** There is no socket, or nobody serves it any more. */
    NO_DAEMON,
    /** The socket exists, and this user may not connect to it. */
    NO_PERMISSION,
    /** The daemon did not answer in time; what was asked for may still happen. */
    TIMEOUT,
    /** The connection broke before the answer; what was asked for may still happen. */
    BROKEN,
    /** What came is not an answer of JSON-RPC 2.0 to the request. */
    PROTOCOL
  }

  private final Kind kind;

  ControlConnectionException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** What stood in the way. */
  public Kind kind() {
    return kind;
  }
}
