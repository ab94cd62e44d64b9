package dev.caplance.daemon;

import java.io.IOException;

/** What a process runs until it is told to end. */
public interface Daemon {

  /**
   * Starts everything; returns when the daemon serves.
   *
   * @throws IOException when it cannot, in words for the operator; {@link #stop} is called even so
   */
  void start() throws IOException;

  /** One line for {@code systemctl status}, once it serves. */
  String describe();

  /** Undoes what {@link #start} did, as far as it came. */
  void stop();

  /**
   * Was told to stop once more: {@link #stop}, which is under way, is to wait for nothing that it
   * need not wait for. Called by a thread of its own, to return at once.
   */
  default void hurry() {}
}
