package dev.caplance.session;

import java.io.IOException;

/**
 * Bytes that are not lines of printable ASCII of the permitted length: nothing after them can be
 * trusted, so the session ends. The exception's message says what was wrong and what would be
 * right, ready to be sent as {@code INVALID <message>} before closing.
 */
public final class FramingException extends IOException {

  public FramingException(String message) {
    super(message);
  }
}
