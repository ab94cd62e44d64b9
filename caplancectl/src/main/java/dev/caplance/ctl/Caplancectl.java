package dev.caplance.ctl;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.ControlClient;
import dev.caplance.control.ControlConnectionException;
import dev.caplance.control.ControlConnectionException.Kind;
import dev.caplance.control.ControlException;
import dev.caplance.status.BackendDaemonStatus;
import dev.caplance.status.CommandOutcome;
import dev.caplance.status.StatusJson;
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

/** The command {@code caplancectl}: calls a running daemon and waits for its answer. */
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
      "0:success; every load balancer has confirmed",
      "1:the daemon refused or does not serve, or a load balancer has not confirmed yet",
      "2:invalid command line",
      "69:no daemon is running",
      "77:no permission to connect to the daemon"
    },
    subcommands = LoadBalancerCommands.class)
public final class Caplancectl implements Runnable {

  private static final Path BACKEND_SOCKET = Path.of("/run/caplance/backend.sock");

  /** EX_UNAVAILABLE of sysexits.h. */
  private static final int EXIT_NO_DAEMON = 69;

  /** EX_NOPERM of sysexits.h. */
  private static final int EXIT_NO_PERMISSION = 77;

  static final int EXIT_FAILED = 1;

  private static final String NOT_A_BACKEND =
      "this is the socket of a load balancer; write 'caplancectl lb status'";

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Clock clock;
  @Spec private CommandSpec spec;

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      scope = ScopeType.INHERIT,
      description =
          "The daemon's control socket. Default: /run/caplance/backend.sock, with lb lb.sock")
  private Path socket;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      scope = ScopeType.INHERIT,
      converter = DurationConverter.class,
      description =
          "How long to wait for an answer, such as 500ms, 30s or 2m. Default: 30s, with lb ready 2s")
  private Duration timeout;

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "Print the daemon's answer unchanged: one line of JSON")
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
    if (out.checkError()) {
      err.println("caplancectl: cannot write to standard output");
      code = Math.max(code, EXIT_FAILED);
    }
    System.exit(code);
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

  @Command(
      description = "Take this backend out of service: it stays registered but gets no packets.")
  int pause() throws ControlException, ControlConnectionException {
    return run(IntentCommand.PAUSE);
  }

  @Command(
      description =
          "Take this backend out of service without breaking connections: it gets no new ones,"
              + " keeps those it has, and pauses when they have ended.")
  int drain(
      @Option(
              names = "--deadline",
              paramLabel = "DURATION",
              converter = DurationConverter.class,
              description = "Pause after this time even if connections are left. Default: none")
          Duration deadline,
      @Option(names = "--wait", description = "Wait until it has paused, and show its progress.")
          boolean wait)
      throws ControlException, ControlConnectionException, InterruptedException {
    JsonObject params = new JsonObject();
    params.addProperty("deadlineMillis", deadline == null ? null : deadline.toMillis());
    int code = run(IntentCommand.DRAIN, params);
    return wait ? Math.max(code, awaitDrained()) : code;
  }

  /** Polls the status rather than waiting in one call, whose answer the timeout would limit. */
  private int awaitDrained()
      throws ControlException, ControlConnectionException, InterruptedException {
    DrainProgress progress = new DrainProgress();
    while (true) {
      JsonElement result = call("status", BACKEND_SOCKET);
      progress.update(StatusJson.read(result, BackendDaemonStatus.class));
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

  @Command(description = "Put this backend back into service.")
  int resume() throws ControlException, ControlConnectionException {
    return run(IntentCommand.RESUME);
  }

  @Command(description = "Deregister this backend; its daemon keeps running.")
  int deregister() throws ControlException, ControlConnectionException {
    return run(IntentCommand.DEREGISTER);
  }

  @Command(description = "Show in a few lines where this backend is registered.")
  int status() throws ControlException, ControlConnectionException {
    JsonElement answer = call("status", BACKEND_SOCKET);
    requireNot("workers", answer, NOT_A_BACKEND);
    print(answer, report(answer).concise());
    return CommandLine.ExitCode.OK;
  }

  @Command(description = "Show this backend's health, sessions, health checks and packet counts.")
  int health() throws ControlException, ControlConnectionException {
    JsonElement answer = call("health", BACKEND_SOCKET);
    requireNot("workers", answer, NOT_A_BACKEND);
    print(answer, report(answer).full());
    return CommandLine.ExitCode.OK;
  }

  private BackendReport report(JsonElement status) {
    return new BackendReport(StatusJson.read(status, BackendDaemonStatus.class), clock);
  }

  private int run(IntentCommand command) throws ControlException, ControlConnectionException {
    return run(command, new JsonObject());
  }

  private int run(IntentCommand command, JsonObject params)
      throws ControlException, ControlConnectionException {
    JsonElement answer;
    try {
      answer = call(command.method(), params, BACKEND_SOCKET);
    } catch (ControlConnectionException e) {
      if (e.kind() != Kind.TIMEOUT && e.kind() != Kind.BROKEN) {
        throw e;
      }
      complain(
          spec.commandLine(),
          e.getMessage() + "; the command may still happen: 'caplancectl status' tells");
      return EXIT_FAILED;
    }
    CommandOutcome outcome = StatusJson.read(answer, CommandOutcome.class);
    print(answer, command.confirmed(outcome));
    String unconfirmed = command.unconfirmed(outcome);
    spec.commandLine().getErr().print(unconfirmed);
    spec.commandLine().getErr().flush();
    return unconfirmed.isEmpty() ? CommandLine.ExitCode.OK : EXIT_FAILED;
  }

  private JsonElement call(String method, Path defaultSocket)
      throws ControlException, ControlConnectionException {
    return call(method, new JsonObject(), defaultSocket);
  }

  /** Calls a method of the daemon at the socket of the command line, or else at this one. */
  JsonElement call(String method, JsonObject params, Path defaultSocket)
      throws ControlException, ControlConnectionException {
    return call(method, params, defaultSocket, TIMEOUT);
  }

  JsonElement call(String method, JsonObject params, Path defaultSocket, Duration defaultTimeout)
      throws ControlException, ControlConnectionException {
    Path path = socket == null ? defaultSocket : socket;
    Duration limit = timeout == null ? defaultTimeout : timeout;
    try (ControlClient client = ControlClient.connect(path, limit)) {
      return client.call(method, params, limit);
    }
  }

  /**
   * Makes sure that the daemon that was meant has answered; both have a method {@code status}.
   *
   * @param other a member that only the other daemon's answer has
   * @param advice what to do then
   */
  static void requireNot(String other, JsonElement answer, String advice) throws ControlException {
    if (answer.isJsonObject() && answer.getAsJsonObject().has(other)) {
      throw new ControlException(ControlException.INVALID_PARAMS, advice);
    }
  }

  /** Prints this text for people, or with {@code --json} the answer itself. */
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
