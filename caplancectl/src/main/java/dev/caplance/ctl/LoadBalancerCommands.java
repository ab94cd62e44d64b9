package dev.caplance.ctl;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.ControlConnectionException;
import dev.caplance.control.ControlException;
import java.nio.file.Path;
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

/** The commands for the load balancer on this machine. */
@Command(
    name = "lb",
    description = "Ask the load balancer on this machine.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = LoadBalancerCommands.WhatIf.class)
final class LoadBalancerCommands implements Runnable {

  private static final Path SOCKET = Path.of("/run/caplance/lb.sock");

  @ParentCommand private Caplancectl parent;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(description = "Show its services, its backends, and what became of its packets.")
  int status() throws ControlException, ControlConnectionException {
    JsonElement answer = parent.call("status", new JsonObject(), SOCKET);
    parent.print(answer, new LoadBalancerReport(new Answer(answer), parent.clock()).full());
    return CommandLine.ExitCode.OK;
  }

  @Command(
      description = "Show which backend the next packet of a flow would go to, and why.",
      footer = "%nExample: caplancectl lb explain 'tcp 198.51.100.7:40000 -> 10.0.0.50:80'")
  int explain(
      @Parameters(
              paramLabel = "FLOW",
              arity = "1..*",
              description = "Protocol, source and destination, in quotes")
          List<String> flow)
      throws ControlException, ControlConnectionException {
    JsonObject params = new JsonObject();
    params.addProperty("flow", String.join(" ", flow));
    JsonElement answer = parent.call("explain", params, SOCKET);
    parent.print(answer, RoutingReport.ofFlow(new Answer(answer)));
    return CommandLine.ExitCode.OK;
  }

  /** Changes of the set of backends that are only computed. */
  @Command(
      name = "whatif",
      description =
          "Show how many new connections would have another backend after a change. Nothing"
              + " changes.",
      synopsisSubcommandLabel = "CHANGE")
  static final class WhatIf implements Runnable {

    @ParentCommand private LoadBalancerCommands parent;
    @Spec private CommandSpec spec;

    @Option(
        names = "--service",
        paramLabel = "NAME",
        scope = ScopeType.INHERIT,
        description = "The service, when there are several")
    private String service;

    @Override
    public void run() {
      throw new ParameterException(spec.commandLine(), "a change is missing");
    }

    @Command(description = "Without a backend, or while it is drained.")
    int remove(@Parameters(paramLabel = "NAME", description = "The backend") String name)
        throws ControlException, ControlConnectionException {
      return compute("remove", name, null);
    }

    @Command(description = "With another backend.")
    int add(
        @Parameters(paramLabel = "NAME", description = "The backend") String name,
        @Option(
                names = "--weight",
                paramLabel = "N",
                description = "1 to 256. Default: 1, or its own")
            Integer weight)
        throws ControlException, ControlConnectionException {
      return compute("add", name, weight);
    }

    @Command(description = "With another weight of a backend.")
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
      parent.parent.print(answer, RoutingReport.ofChange(new Answer(answer)));
      return CommandLine.ExitCode.OK;
    }
  }
}
