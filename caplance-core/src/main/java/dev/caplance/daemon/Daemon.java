package dev.caplance.daemon;

import java.io.IOException;

/** What a process runs until it is told to stop. */
public interface Daemon {

  /**
   * Starts everything; returns when the daemon is serving.
   *
   * @throws IOException when it cannot; the message is for the operator. {@link #stop} is called in
   *     that case, too
   */
  void start() throws IOException;

  /** One line for {@code systemctl status} while it is serving. */
  String describe();

  /** Undoes what {@link #start} did, as far as it got. */
  void stop();

  /**
   * Called on a second signal, by another thread, while {@link #stop} is running: it should stop
   * waiting for anything that it can do without. Returns at once.
   */
  default void hurry() {}
}
