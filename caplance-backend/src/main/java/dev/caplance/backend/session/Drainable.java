package dev.caplance.backend.session;

import java.util.concurrent.CompletableFuture;

/** A backend that can be taken out of service in two steps. Any thread may call. */
public interface Drainable {

  /** What this backend wants to be now. */
  BackendIntent intent();

  /** Gets no new flows but keeps those it has. For the result see {@link CommandResult}. */
  CompletableFuture<CommandResult> drain();

  /** The same before the daemon stops: the next start knows nothing of it. */
  CompletableFuture<CommandResult> drainBeforeStop();

  /**
   * Pauses, but only from draining: if an operator has resumed this backend in the meantime, that
   * stands. For the result see {@link CommandResult}.
   */
  CompletableFuture<CommandResult> pauseDrained();
}
