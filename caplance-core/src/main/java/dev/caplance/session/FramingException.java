package dev.caplance.session;

import java.io.IOException;

/**
 * Bytes are not lines of printable ASCII of the permitted length: nothing after them can be
 * trusted, so the session ends. The message says what is wrong and what would be right, ready to be
 * sent as {@code INVALID <message>} before closing.
 */
public final class FramingException extends IOException {

  public FramingException(String message) {
    super(message);
  }
}
