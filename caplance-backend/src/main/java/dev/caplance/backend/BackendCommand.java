package dev.caplance.backend;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonCommand;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.preflight.Preflight;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code caplance backend}. */
@Command(name = "backend", description = "Runs the backend until SIGTERM.")
public final class BackendCommand extends DaemonCommand<BackendConfig> {

  public BackendCommand() {
    super(Path.of("/etc/caplance/backend.yaml"));
  }

  @Override
  protected BackendConfig load(Path file) throws ConfigException {
    return BackendConfig.load(file);
  }

  @Override
  protected LoggingConfig logging(BackendConfig config) {
    return config.logging();
  }

  @Override
  protected List<Preflight.Check> checks(BackendConfig config) {
    return BackendPreflight.checks(config);
  }

  @Override
  protected Daemon daemon(BackendConfig config, DaemonRunner runner) {
    return new BackendDaemon(config, runner);
  }
}
