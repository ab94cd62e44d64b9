package dev.caplance.session;

/**
 * A line that is no message of the protocol. The exception's message says what was wrong with it
 * and what would be right, ready to be sent as {@code INVALID <message>}.
 */
public final class InvalidLineException extends Exception {

  public InvalidLineException(String message) {
    super(message);
  }
}
