package dev.caplance.host;

import java.io.IOException;

/** A program of the system is missing, failed, or took too long; the message says which. */
public final class CommandException extends IOException {

  private static final long serialVersionUID = 1L;

  CommandException(String message) {
    super(message);
  }

  CommandException(String message, Throwable cause) {
    super(message, cause);
  }
}
