package dev.caplance.control;

import java.io.IOException;

/** A call without a response: the daemon was not reached, or did not respond properly. */
public final class ControlConnectionException extends IOException {

  /** Why there is no response. */
  public enum Kind {
    /** There is no socket, or nothing listens on it any more. */
    NO_DAEMON,
    /** The socket exists, and this user may not connect to it. */
    NO_PERMISSION,
    /** The daemon did not respond in time; the request may still be carried out. */
    TIMEOUT,
    /** The connection broke before the response; the request may still be carried out. */
    BROKEN,
    /** What came is not a JSON-RPC 2.0 response to the request. */
    PROTOCOL
  }

  private final Kind kind;

  ControlConnectionException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** Why there is no response. */
  public Kind kind() {
    return kind;
  }
}
