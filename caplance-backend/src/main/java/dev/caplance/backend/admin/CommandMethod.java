package dev.caplance.backend.admin;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.backend.session.CommandResult;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.packet.IpAddresses;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code pause}, {@code resume}, {@code deregister}: answers when the load balancers have. */
final class CommandMethod implements ControlMethod {

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
    return json(name, Waiting.forResult(command.get()));
  }

  /** What came of a command of the backend with this name. */
  static JsonObject json(String name, CommandResult result) {
    JsonArray loadBalancers = new JsonArray();
    result.answers().forEach(answer -> loadBalancers.add(json(answer)));
    JsonObject json = new JsonObject();
    json.addProperty("name", name);
    json.addProperty("intent", result.intent().word());
    json.add("loadBalancers", loadBalancers);
    return json;
  }

  private static JsonObject json(CommandResult.Answer answer) {
    JsonObject json = new JsonObject();
    json.addProperty("address", IpAddresses.format(answer.loadBalancer().address()));
    json.addProperty("port", answer.loadBalancer().port());
    json.addProperty("confirmed", answer.confirmed());
    json.addProperty("answer", answer.text());
    return json;
  }
}
