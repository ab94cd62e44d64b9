package dev.caplance.backend.session;

/** A command that cannot be carried out now. Nothing has changed; the message says why. */
public final class CommandRefusedException extends Exception {

  public CommandRefusedException(String message) {
    super(message);
  }
}
