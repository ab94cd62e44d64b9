package dev.caplance.backend.health;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
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
    } else if (target instanceof CheckTarget.Udp udp) {
      return new UdpChecker(udp, timeout);
    } else if (target instanceof CheckTarget.Command command) {
      return new CommandChecker(command.line(), timeout);
    }
    throw new AssertionError(target);
  }

  /** That the timeout has passed, for operators. */
  static String late(Duration timeout) {
    return "no answer within " + timeout.toMillis() + " ms";
  }

  /**
   * What went wrong, in words for operators: {@code connection refused}.
   *
   * @throws InterruptedException if the thread was interrupted, which closes its channels
   */
  static String describe(IOException e) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    return lowerFirst(e.getMessage() == null ? e.toString() : e.getMessage());
  }

  /** As the rest of a sentence. */
  static String lowerFirst(String message) {
    return message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
  }
}
