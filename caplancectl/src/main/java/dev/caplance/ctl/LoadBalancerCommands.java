package dev.caplance.ctl;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.ControlConnectionException;
import dev.caplance.control.ControlException;
import dev.caplance.status.FlowExplanation;
import dev.caplance.status.LoadBalancerStatus;
import dev.caplance.status.Readiness;
import dev.caplance.status.StatusJson;
import dev.caplance.status.WhatIfResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The commands {@code caplancectl lb}: they query the load balancer on this machine. */
@Command(
    name = "lb",
    description = "Query the load balancer on this machine.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = LoadBalancerCommands.WhatIf.class)
final class LoadBalancerCommands implements Runnable {

  private static final Path SOCKET = Path.of("/run/caplance/lb.sock");

  /** Whoever asks, asks again every few seconds. */
  private static final Duration READY_TIMEOUT = Duration.ofSeconds(2);

  @ParentCommand private Caplancectl parent;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(description = "Show its services, backends, packet counts and workers.")
  int status() throws ControlException, ControlConnectionException {
    JsonElement answer = parent.call("status", new JsonObject(), SOCKET);
    Caplancectl.requireNot(
        "loadBalancers",
        answer,
        "this is the socket of a backend; write 'caplancectl status' without lb");
    parent.print(answer, report(answer).full());
    return CommandLine.ExitCode.OK;
  }

  @Command(
      description =
          "Show whether it serves, by the exit code too: 0 if it does, else 1, 69 or 77. For"
              + " keepalived's track_script.")
  int ready() throws ControlException, ControlConnectionException {
    JsonElement answer = parent.call("ready", new JsonObject(), SOCKET, READY_TIMEOUT);
    Readiness readiness = StatusJson.read(answer, Readiness.class);
    boolean ready = Boolean.TRUE.equals(readiness.ready());
    parent.print(
        answer,
        ready
            ? "ready\n"
            : "not ready: " + Words.known(String.join("; ", readiness.reasons())) + "\n");
    return ready ? CommandLine.ExitCode.OK : Caplancectl.EXIT_FAILED;
  }

  private LoadBalancerReport report(JsonElement status) {
    return new LoadBalancerReport(
        StatusJson.read(status, LoadBalancerStatus.class), parent.clock());
  }

  @Command(
      description = "Show which backend the next packet of a flow would go to, and why.",
      footer = "%nExample: caplancectl lb explain 'tcp 198.51.100.7:40000 -> 10.0.0.50:80'")
  int explain(
      @Parameters(
              paramLabel = "FLOW",
              arity = "1..*",
              description = "Protocol, source and destination, quoted")
          List<String> flow)
      throws ControlException, ControlConnectionException {
    JsonObject params = new JsonObject();
    params.addProperty("flow", String.join(" ", flow));
    JsonElement answer = parent.call("explain", params, SOCKET);
    parent.print(answer, RoutingReport.of(StatusJson.read(answer, FlowExplanation.class)));
    return CommandLine.ExitCode.OK;
  }

  /** Changes to the backends of a service, computed but not made. */
  @Command(
      name = "whatif",
      description =
          "Show how many new connections a change would send to another backend. Nothing is"
              + " changed.",
      synopsisSubcommandLabel = "CHANGE")
  static final class WhatIf implements Runnable {

    @ParentCommand private LoadBalancerCommands parent;
    @Spec private CommandSpec spec;

    @Option(
        names = "--service",
        paramLabel = "NAME",
        scope = ScopeType.INHERIT,
        description = "The service; needed if there is more than one")
    private String service;

    @Override
    public void run() {
      throw new ParameterException(spec.commandLine(), "a change is missing");
    }

    @Command(description = "Remove a backend, or drain it.")
    int remove(@Parameters(paramLabel = "NAME", description = "The backend") String name)
        throws ControlException, ControlConnectionException {
      return compute("remove", name, null);
    }

    @Command(description = "Add a backend.")
    int add(
        @Parameters(paramLabel = "NAME", description = "The backend") String name,
        @Option(
                names = "--weight",
                paramLabel = "N",
                description = "1 to 256. Default: its own if it is registered, or 1")
            Integer weight)
        throws ControlException, ControlConnectionException {
      return compute("add", name, weight);
    }

    @Command(description = "Give a backend another weight.")
    int weight(
        @Parameters(paramLabel = "NAME", description = "The backend") String name,
        @Parameters(paramLabel = "N", description = "1 to 256") Integer weight)
        throws ControlException, ControlConnectionException {
      return compute("weight", name, weight);
    }

    private int compute(String change, String name, Integer weight)
        throws ControlException, ControlConnectionException {
      JsonObject params = new JsonObject();
      params.addProperty("change", change);
      params.addProperty("name", name);
      params.addProperty("weight", weight);
      params.addProperty("service", service);
      JsonElement answer = parent.parent.call("whatif", params, SOCKET);
      parent.parent.print(answer, RoutingReport.of(StatusJson.read(answer, WhatIfResult.class)));
      return CommandLine.ExitCode.OK;
    }
  }
}
