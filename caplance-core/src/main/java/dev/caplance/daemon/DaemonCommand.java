package dev.caplance.daemon;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.host.Failures;
import dev.caplance.logging.Logging;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Preflight;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The command line of a daemon: reads its configuration, and either only checks that or the
 * machine, or runs the daemon until it ends. Once a daemon is serving, the machine is checked, too,
 * and what is found is logged.
 *
 * @param <C> the configuration
 */
@Command(
    mixinStandardHelpOptions = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:stopped by SIGTERM or SIGINT, or nothing wrong was found",
      "1:could not start or continue, or --preflight found what would not work",
      "2:invalid usage",
      "78:the configuration is invalid"
    })
public abstract class DaemonCommand<C> implements Callable<Integer> {

  private static final Logger LOG = LoggerFactory.getLogger(DaemonCommand.class);

  private static final int EXIT_FAILURE = 1;

  /** {@code EX_CONFIG} of sysexits.h: a restart would not help. */
  private static final int EXIT_CONFIG = 78;

  private final Path defaultFile;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration file, by default the one in /etc/caplance.")
  private Path file;

  @Option(
      names = "--check-config",
      description = "Only read the configuration, and report every mistake in it.")
  private boolean checkConfig;

  @Option(
      names = "--preflight",
      description =
          "Only check this machine, without changing anything, and report what would not work and"
              + " how to fix it.")
  private boolean preflight;

  @Option(
      names = "--clean-up",
      description =
          "Only remove what a daemon that was killed has left on this machine. The next start does"
              + " it, too.")
  private boolean cleanUp;

  @Spec private CommandSpec spec;

  /** A command that reads this file unless {@code --config} names another. */
  protected DaemonCommand(Path defaultFile) {
    this.defaultFile = defaultFile;
  }

  /** Reads the configuration. */
  protected abstract C load(Path path) throws ConfigException;

  /** The part of it about logging. */
  protected abstract LoggingConfig logging(C config);

  /** The daemon, not started. */
  protected abstract Daemon daemon(C config, DaemonRunner runner);

  /** The checks of this machine, see {@link Preflight}. */
  protected abstract List<Preflight.Check> checks(C config);

  /**
   * Undoes what a daemon of this kind that does not run any more has changed on this machine.
   *
   * @throws IOException when that fails, or one is running; the message is for the operator
   */
  protected abstract void cleanUp(C config) throws IOException;

  @Override
  public Integer call() {
    Path path = file == null ? defaultFile : file;
    C config;
    try {
      config = load(path);
    } catch (ConfigException e) {
      spec.commandLine().getErr().println(e.getMessage());
      return EXIT_CONFIG;
    }
    if (checkConfig) {
      spec.commandLine().getOut().println(path + " is valid");
      return 0;
    }
    if (cleanUp) {
      return clean(config);
    }
    Preflight flight = new Preflight(checks(config));
    if (preflight) {
      return report(flight.findings());
    }
    try {
      Logging.configure(logging(config));
    } catch (IOException e) {
      spec.commandLine().getErr().println(e.getMessage());
      return EXIT_FAILURE;
    }
    DaemonRunner runner = new DaemonRunner();
    return runner.run(daemon(config, runner), () -> logFindings(flight));
  }

  private int clean(C config) {
    try {
      cleanUp(config);
      spec.commandLine().getOut().println("nothing is left of an earlier run");
      return 0;
    } catch (IOException e) {
      spec.commandLine().getErr().println(Failures.describe(e));
      return EXIT_FAILURE;
    }
  }

  private int report(List<Finding> findings) {
    PrintWriter out = spec.commandLine().getOut();
    findings.forEach(out::println);
    if (findings.isEmpty()) {
      out.println("no problems found");
    }
    boolean stops = findings.stream().anyMatch(f -> f.severity() == Finding.Severity.STOPS);
    return stops ? EXIT_FAILURE : 0;
  }

  private static void logFindings(Preflight flight) {
    Thread thread =
        new Thread(
            () -> flight.findings().forEach(finding -> LOG.warn("preflight: {}", finding)),
            "preflight");
    thread.setDaemon(true);
    thread.start();
  }
}
