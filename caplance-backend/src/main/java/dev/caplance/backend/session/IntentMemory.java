package dev.caplance.backend.session;

import java.util.concurrent.CompletableFuture;

/** Remembers what an operator wants of this backend, beyond the end of the daemon. */
@FunctionalInterface
public interface IntentMemory {

  /**
   * Begins to remember an intent in place of the one before; returns at once.
   *
   * @return completed when it is remembered, or cannot be; never exceptionally
   */
  CompletableFuture<Void> remember(BackendIntent intent);
}
