package dev.caplance.backend.session;

import java.util.concurrent.CompletableFuture;

/** A backend that can be taken out in two steps. Any thread may call. */
public interface Drainable {

  /** What this backend wants to be now. */
  BackendIntent intent();

  /**
   * Keeps its flows, but gets no new ones. For the result see {@link LoadBalancerSessions#resume}.
   */
  CompletableFuture<CommandResult> drain();

  /**
   * Pauses when its flows are gone, but only from draining: whoever has resumed this backend in the
   * meantime has the last word. For the result see {@link LoadBalancerSessions#resume}.
   */
  CompletableFuture<CommandResult> pauseDrained();
}
