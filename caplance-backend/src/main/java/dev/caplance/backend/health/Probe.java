package dev.caplance.backend.health;

import java.time.Duration;
import java.util.Optional;

/** Looks once whether the application works. */
@FunctionalInterface
interface Probe {

  /**
   * Looks; called by one thread at a time.
   *
   * @return why the look failed, in words for operators; empty when the application works
   * @throws InterruptedException when the thread was interrupted meanwhile
   */
  Optional<String> look() throws InterruptedException;

  /** The probe for a target, that fails when a look takes longer than the timeout. */
  static Probe of(CheckTarget target, Duration timeout) {
    if (target instanceof CheckTarget.Tcp tcp) {
      return new TcpProbe(tcp.address(), timeout);
    } else if (target instanceof CheckTarget.Http http) {
      return new HttpProbe(http, timeout);
    } else if (target instanceof CheckTarget.Command command) {
      return new CommandProbe(command.line(), timeout);
    }
    throw new AssertionError(target);
  }
}
