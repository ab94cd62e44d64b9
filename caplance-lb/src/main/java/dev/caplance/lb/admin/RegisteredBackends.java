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

/** Asks the registry, whose own thread answers, who is registered. Any thread may call. */
public final class RegisteredBackends {

  private static final long TIMEOUT_SECONDS = 5;

  private final Supplier<CompletableFuture<List<BackendRegistry.Entry>>> registry;

  /** Asks this registry. */
  public RegisteredBackends(Supplier<CompletableFuture<List<BackendRegistry.Entry>>> registry) {
    this.registry = registry;
  }

  /** All registered backends, in byte order of their names. */
  List<BackendRegistry.Entry> now() throws ControlException, InterruptedException {
    try {
      return registry.get().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
      throw new ControlException(ControlException.REFUSED, "the registry does not answer");
    }
  }
}
