package dev.caplance.daemon;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.logging.Logging;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The command line of a daemon: reads its configuration, and either only checks it or runs the
 * daemon until it ends.
 *
 * @param <C> the configuration
 */
@Command(
    mixinStandardHelpOptions = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:stopped by SIGTERM or SIGINT, or the configuration is right",
      "1:could not start, or could not go on",
      "2:wrong usage",
      "78:the configuration is wrong"
    })
public abstract class DaemonCommand<C> implements Callable<Integer> {

  private static final int EXIT_FAILURE = 1;

  /** {@code EX_CONFIG} of sysexits.h: a restart would not help. */
  private static final int EXIT_CONFIG = 78;

  private final Path defaultFile;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration; in /etc/caplance unless given.")
  private Path file;

  @Option(
      names = "--check-config",
      description = "Only read the configuration, and name every mistake in it.")
  private boolean checkConfig;

  @Spec private CommandSpec spec;

  /** A command that reads this file unless it is told another. */
  protected DaemonCommand(Path defaultFile) {
    this.defaultFile = defaultFile;
  }

  /** Reads the configuration. */
  protected abstract C load(Path path) throws ConfigException;

  /** The part of it that says what is logged. */
  protected abstract LoggingConfig logging(C config);

  /** The daemon, not started. */
  protected abstract Daemon daemon(C config, DaemonRunner runner);

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
      spec.commandLine().getOut().println(path + " is right");
      return 0;
    }
    try {
      Logging.configure(logging(config));
    } catch (IOException e) {
      spec.commandLine().getErr().println(e.getMessage());
      return EXIT_FAILURE;
    }
    DaemonRunner runner = new DaemonRunner();
    return runner.run(daemon(config, runner));
  }
}
