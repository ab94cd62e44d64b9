package dev.caplance;

import dev.caplance.backend.BackendCommand;
import dev.caplance.lb.LoadBalancerCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code caplance}: runs the daemon that its first argument names. */
@Command(
    name = "caplance",
    description = "A layer-4 load balancer that servers join by themselves.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Main.Version.class)
public final class Main implements Runnable {

  @Spec private CommandSpec spec;

  /** The daemons' commands. A daemon's classes are loaded when its command is made. */
  private static Map<String, Supplier<Callable<Integer>>> daemons() {
    Map<String, Supplier<Callable<Integer>>> daemons = new LinkedHashMap<>();
    daemons.put("lb", LoadBalancerCommand::new);
    daemons.put("backend", BackendCommand::new);
    return daemons;
  }

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    int code = commandLine(daemons(), args).setOut(out).execute(args);
    if (out.checkError()) {
      System.err.println("caplance: cannot write to standard output");
      code = Math.max(code, CommandLine.ExitCode.SOFTWARE);
    }
    System.exit(code);
  }

  /**
   * The command line with the daemon that is asked for, or with all of them when none is, for the
   * help's sake.
   */
  static CommandLine commandLine(Map<String, Supplier<Callable<Integer>>> daemons, String... args) {
    CommandLine commandLine = new CommandLine(new Main());
    boolean asked = args.length > 0 && daemons.containsKey(args[0]);
    daemons.forEach(
        (name, daemon) -> {
          if (!asked || name.equals(args[0])) {
            commandLine.addSubcommand(name, daemon.get());
          }
        });
    commandLine
        .getCommandSpec()
        .usageMessage()
        .footer(
            "  ctl      Is caplancectl, which controls a running daemon.",
            "  archive  Prepares the daemons' classes for this machine's Java,",
            "             so that they start faster.");
    return commandLine.setParameterExceptionHandler(Main::explainUsage);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private static int explainUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    command.getErr().println("caplance: " + e.getMessage());
    UnmatchedArgumentException.printSuggestions(e, command.getErr());
    command
        .getErr()
        .println("Try '" + command.getCommandSpec().qualifiedName() + " --help' for help.");
    return CommandLine.ExitCode.USAGE;
  }

  /** The version is written into the jar when it is built. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"caplance " + (version == null ? "(not from a jar)" : version)};
    }
  }
}
