package dev.caplance.backend.admin;

import dev.caplance.backend.session.CommandRefusedException;
import dev.caplance.control.ControlException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits for what the sessions' thread has been asked, on the thread of a control connection. */
final class Waiting {

  /** Longer than the sessions themselves take before they give up on a load balancer. */
  private static final long TIMEOUT_SECONDS = 15;

  private Waiting() {}

  static <T> T forResult(CompletableFuture<T> future)
      throws ControlException, InterruptedException {
    try {
      return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new ControlException(ControlException.NOT_CONFIRMED, "the sessions do not answer");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CommandRefusedException refusal) {
        throw new ControlException(ControlException.REFUSED, refusal.getMessage());
      }
      throw new IllegalStateException("the sessions failed to do it", e.getCause());
    }
  }
}
