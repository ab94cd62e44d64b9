package dev.caplance.backend.health;

import java.time.Duration;
import java.util.Optional;

/** Makes single attempts to check the application. */
@FunctionalInterface
interface Checker {

  /** Makes the checker for a target. */
  @FunctionalInterface
  interface Factory {
    Checker create(CheckTarget target, Duration timeout);
  }

  /**
   * Makes one attempt; called by one thread at a time.
   *
   * @return why the attempt failed, in words for operators; empty if the application works
   * @throws InterruptedException if the thread was interrupted meanwhile
   */
  Optional<String> attempt() throws InterruptedException;

  /** The checker for a target; an attempt fails if it takes longer than the timeout. */
  static Checker of(CheckTarget target, Duration timeout) {
    if (target instanceof CheckTarget.Tcp tcp) {
      return new TcpChecker(tcp.address(), timeout);
    } else if (target instanceof CheckTarget.Http http) {
      return new HttpChecker(http, timeout);
    } else if (target instanceof CheckTarget.Command command) {
      return new CommandChecker(command.line(), timeout);
    }
    throw new AssertionError(target);
  }
}
