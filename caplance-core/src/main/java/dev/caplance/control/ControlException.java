package dev.caplance.control;

/**
 * A call that the daemon answered with an error. A method throws it in the daemon, and the client
 * throws it again in the calling process. The message is for the operator.
 */
public final class ControlException extends Exception {

  /** The daemon's state does not allow it, such as pausing a paused backend. Nothing changed. */
  public static final int REFUSED = 1;

  /** It was accepted, but no load balancer has confirmed it yet. */
  public static final int NOT_CONFIRMED = 2;

  /** JSON-RPC: the method does not exist. */
  public static final int METHOD_NOT_FOUND = -32601;

  /** JSON-RPC: a parameter is missing, unknown or of the wrong kind. */
  public static final int INVALID_PARAMS = -32602;

  private final int code;

  /**
   * An error with a code and a message.
   *
   * @param code one of the constants, or another number above zero
   * @param message what was wrong, and the state now
   */
  public ControlException(int code, String message) {
    super(message);
    this.code = code;
  }

  /** The error code: negative from JSON-RPC, positive from the method. */
  public int code() {
    return code;
  }
}
