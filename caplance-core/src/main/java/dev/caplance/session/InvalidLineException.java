package dev.caplance.session;

/**
 * A line is not a message of the protocol. The exception's message says what is wrong and what
 * would be right, ready to be sent as {@code INVALID <message>}.
 */
public final class InvalidLineException extends Exception {

  public InvalidLineException(String message) {
    super(message);
  }
}
