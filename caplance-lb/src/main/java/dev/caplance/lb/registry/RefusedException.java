package dev.caplance.lb.registry;

/**
 * A registration is refused. The message gives the reason and the remedy, ready to be sent as
 * {@code INVALID <message>}.
 */
final class RefusedException extends Exception {

  RefusedException(String message) {
    super(message);
  }
}
