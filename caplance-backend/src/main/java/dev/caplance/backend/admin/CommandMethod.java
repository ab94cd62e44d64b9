package dev.caplance.backend.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.backend.session.CommandRefusedException;
import dev.caplance.backend.session.CommandResult;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.packet.IpAddresses;
import dev.caplance.status.BackendDaemonStatus;
import dev.caplance.status.CommandOutcome;
import dev.caplance.status.ReportedIntent;
import dev.caplance.status.StatusJson;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * {@code pause}, {@code resume}, {@code deregister}: answers when every load balancer has replied
 * or has been given up on.
 */
final class CommandMethod implements ControlMethod {

  /** Longer than the sessions themselves take before they give up on a load balancer. */
  private static final long TIMEOUT_SECONDS = 15;

  private final String name;
  private final Supplier<CompletableFuture<CommandResult>> command;

  /**
   * A command.
   *
   * @param name of the backend
   */
  CommandMethod(String name, Supplier<CompletableFuture<CommandResult>> command) {
    this.name = name;
    this.command = command;
  }

  @Override
  public boolean changesState() {
    return true;
  }

  @Override
  public JsonElement call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    return StatusJson.write(outcome(name, awaitResult(command.get()), null));
  }

  /** Waits for the result of a command; one that takes too long is not taken back. */
  static CommandResult awaitResult(CompletableFuture<CommandResult> command)
      throws ControlException, InterruptedException {
    return await(command, "; the command stands and will still happen, see the status");
  }

  /**
   * Waits, on the thread of a control connection, for what the sessions' thread was asked.
   *
   * @param otherwise what follows if there is no answer in time
   */
  static <T> T await(CompletableFuture<T> future, String otherwise)
      throws ControlException, InterruptedException {
    try {
      return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new ControlException(
          ControlException.NOT_CONFIRMED, "no answer within " + TIMEOUT_SECONDS + " s" + otherwise);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CommandRefusedException refusal) {
        throw new ControlException(ControlException.REFUSED, refusal.getMessage());
      }
      throw new IllegalStateException("the sessions failed", e.getCause());
    }
  }

  /**
   * What came of a command.
   *
   * @param name of the backend
   * @param drain null unless the command was a drain
   */
  static CommandOutcome outcome(
      String name, CommandResult result, BackendDaemonStatus.Drain drain) {
    return new CommandOutcome(
        name,
        ReportedIntent.of(result.intent().word()),
        result.answers().stream().map(CommandMethod::reply).toList(),
        drain);
  }

  private static CommandOutcome.Reply reply(CommandResult.Answer answer) {
    return new CommandOutcome.Reply(
        IpAddresses.format(answer.loadBalancer().address()),
        answer.loadBalancer().port(),
        answer.confirmed(),
        answer.text());
  }
}
