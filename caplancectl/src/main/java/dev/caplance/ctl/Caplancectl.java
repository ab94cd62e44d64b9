package dev.caplance.ctl;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.ControlClient;
import dev.caplance.control.ControlConnectionException;
import dev.caplance.control.ControlException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code caplancectl}: asks a running daemon, and waits for what it says. */
@Command(
    name = "caplancectl",
    description = "Controls the Caplance daemons on this machine.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Caplancectl.Version.class,
    sortOptions = false,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done; every load balancer has confirmed",
      "1:the daemon refused, or it is not confirmed yet",
      "2:the command line was wrong",
      "69:no daemon is running",
      "77:no permission to talk to the daemon"
    },
    subcommands = LoadBalancerCommands.class)
public final class Caplancectl implements Runnable {

  private static final Path BACKEND_SOCKET = Path.of("/run/caplance/backend.sock");

  /** EX_UNAVAILABLE of sysexits.h. */
  private static final int EXIT_NO_DAEMON = 69;

  /** EX_NOPERM of sysexits.h. */
  private static final int EXIT_NO_PERMISSION = 77;

  private static final int EXIT_FAILED = 1;

  private final Clock clock;
  @Spec private CommandSpec spec;

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      scope = ScopeType.INHERIT,
      description =
          "The daemon's control socket. Default: backend.sock, or lb.sock for lb, in /run/caplance")
  private Path socket;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      scope = ScopeType.INHERIT,
      defaultValue = "30s",
      converter = DurationConverter.class,
      description = "How long to wait for an answer, like 500ms, 30s or 2m. Default: 30s")
  private Duration timeout;

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "Print the daemon's answer as it came: one line of JSON")
  private boolean json;

  Caplancectl(Clock clock) {
    this.clock = clock;
  }

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] args) {
    PrintWriter out =
        new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    PrintWriter err =
        new PrintWriter(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    int code =
        commandLine(Clock.system(ZoneId.systemDefault())).setOut(out).setErr(err).execute(args);
    System.exit(out.checkError() ? Math.max(code, EXIT_FAILED) : code);
  }

  static CommandLine commandLine(Clock clock) {
    return new CommandLine(new Caplancectl(clock))
        .setParameterExceptionHandler(Caplancectl::explainUsage)
        .setExecutionExceptionHandler(Caplancectl::explainFailure);
  }

  Clock clock() {
    return clock;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(description = "Take this backend out: it stays registered and gets no packets.")
  int pause() throws ControlException, ControlConnectionException {
    return change(Change.PAUSE);
  }

  @Command(
      description =
          "Take this backend out without breaking a connection: new ones go elsewhere, existing"
              + " ones stay. It pauses when they are gone.")
  int drain(
      @Option(
              names = "--deadline",
              paramLabel = "TIME",
              converter = DurationConverter.class,
              description = "Pause after this time, whatever is left. Default: none")
          Duration deadline,
      @Option(names = "--wait", description = "Wait until it has paused, and show how far it is.")
          boolean wait)
      throws ControlException, ControlConnectionException, InterruptedException {
    JsonObject params = new JsonObject();
    params.addProperty("deadlineMillis", deadline == null ? null : deadline.toMillis());
    int code = change(Change.DRAIN, params);
    return wait ? Math.max(code, awaitDrained()) : code;
  }

  /** Asks again and again, since a call has its own time to be answered in. */
  private int awaitDrained()
      throws ControlException, ControlConnectionException, InterruptedException {
    DrainProgress progress = new DrainProgress();
    while (true) {
      JsonElement result = call("status", BACKEND_SOCKET);
      progress.update(new Answer(result));
      if (!json) {
        print(result, progress.news());
      } else if (progress.ended()) {
        print(result, "");
      }
      if (progress.ended()) {
        return progress.drained() ? CommandLine.ExitCode.OK : EXIT_FAILED;
      }
      TimeUnit.SECONDS.sleep(1);
    }
  }

  @Command(description = "Put this backend back in after a pause or a drain.")
  int resume() throws ControlException, ControlConnectionException {
    return change(Change.RESUME);
  }

  @Command(description = "Sign this backend off; the daemon goes on and delivers what still comes.")
  int deregister() throws ControlException, ControlConnectionException {
    return change(Change.DEREGISTER);
  }

  @Command(description = "Show in a few lines where this backend is registered.")
  int status() throws ControlException, ControlConnectionException {
    JsonElement answer = call("status", BACKEND_SOCKET);
    print(answer, new BackendReport(new Answer(answer), clock).concise());
    return CommandLine.ExitCode.OK;
  }

  @Command(
      description = "Show this backend's health, its sessions, and what became of its packets.")
  int health() throws ControlException, ControlConnectionException {
    JsonElement answer = call("health", BACKEND_SOCKET);
    print(answer, new BackendReport(new Answer(answer), clock).full());
    return CommandLine.ExitCode.OK;
  }

  private int change(Change change) throws ControlException, ControlConnectionException {
    return change(change, new JsonObject());
  }

  private int change(Change change, JsonObject params)
      throws ControlException, ControlConnectionException {
    JsonElement result = call(change.method(), params, BACKEND_SOCKET);
    Answer answer = new Answer(result);
    print(result, change.confirmed(answer));
    String unconfirmed = change.unconfirmed(answer);
    spec.commandLine().getErr().print(unconfirmed);
    spec.commandLine().getErr().flush();
    return unconfirmed.isEmpty() ? CommandLine.ExitCode.OK : EXIT_FAILED;
  }

  private JsonElement call(String method, Path defaultSocket)
      throws ControlException, ControlConnectionException {
    return call(method, new JsonObject(), defaultSocket);
  }

  /** Calls a method of the daemon behind the socket that was given, or else this one. */
  JsonElement call(String method, JsonObject params, Path defaultSocket)
      throws ControlException, ControlConnectionException {
    Path path = socket == null ? defaultSocket : socket;
    try (ControlClient client = ControlClient.connect(path, timeout)) {
      return client.call(method, params, timeout);
    }
  }

  /** Prints an answer for people, or as it came if that was asked for. */
  void print(JsonElement answer, String text) {
    PrintWriter out = spec.commandLine().getOut();
    out.print(json ? answer + "\n" : text);
    out.flush();
  }

  private static int explainUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    complain(command, e.getMessage());
    UnmatchedArgumentException.printSuggestions(e, command.getErr());
    command
        .getErr()
        .println("Try '" + command.getCommandSpec().qualifiedName() + " --help' for help.");
    return CommandLine.ExitCode.USAGE;
  }

  private static int explainFailure(Exception e, CommandLine command, ParseResult parsed)
      throws Exception {
    if (e instanceof ControlException refusal) {
      complain(command, e.getMessage());
      return refusal.code() == ControlException.INVALID_PARAMS
          ? CommandLine.ExitCode.USAGE
          : EXIT_FAILED;
    }
    if (e instanceof ControlConnectionException failure) {
      complain(command, e.getMessage());
      return switch (failure.kind()) {
        case NO_DAEMON -> EXIT_NO_DAEMON;
        case NO_PERMISSION -> EXIT_NO_PERMISSION;
        case TIMEOUT, BROKEN, PROTOCOL -> EXIT_FAILED;
      };
    }
    throw e;
  }

  private static void complain(CommandLine command, String message) {
    command.getErr().println("caplancectl: " + message);
  }

  /** The version is written into the jar when it is built. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Caplancectl.class.getPackage().getImplementationVersion();
      return new String[] {"caplancectl " + (version == null ? "(not from a jar)" : version)};
    }
  }
}
