package dev.caplance.lb.admin;

import dev.caplance.control.ControlException;
import dev.caplance.lb.registry.BackendRegistry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Queries the registered backends from the registry, whose own thread replies. Any thread may call.
 */
public final class RegisteredBackends {

  private static final long TIMEOUT_SECONDS = 5;

  private final Supplier<CompletableFuture<List<BackendRegistry.Entry>>> registry;

  /** Queries this registry. */
  public RegisteredBackends(Supplier<CompletableFuture<List<BackendRegistry.Entry>>> registry) {
    this.registry = registry;
  }

  /**
   * Returns all registered backends, in byte order of their names.
   *
   * @throws ControlException if the registry does not reply within 5 seconds
   */
  List<BackendRegistry.Entry> now() throws ControlException, InterruptedException {
    try {
      return registry.get().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
      throw new ControlException(ControlException.REFUSED, "the registry does not answer");
    }
  }
}
