package dev.caplance.lb.registry;

/**
 * A backend cannot be registered as it wishes. The message says why and what would be right, ready
 * to be sent as {@code INVALID <message>}.
 */
final class RefusedException extends Exception {

  RefusedException(String message) {
    super(message);
  }
}
