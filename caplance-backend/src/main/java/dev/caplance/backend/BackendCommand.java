package dev.caplance.backend;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonCommand;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.Failures;
import dev.caplance.host.Journal;
import dev.caplance.host.MssClamp;
import dev.caplance.host.Sysctls;
import dev.caplance.host.VipAddresses;
import dev.caplance.preflight.Preflight;
import java.io.IOException;
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

  @Override
  protected void cleanUp(BackendConfig config) throws IOException {
    CommandRunner commands = new CommandRunner();
    try (Journal journal = Journal.open(config.runDirectory(), "backend")) {
      Failures failures = new Failures();
      failures.attempt(new VipAddresses(journal, commands)::detachAll);
      failures.attempt(new Sysctls(journal)::restoreAll);
      failures.attempt(new MssClamp(commands)::removeLeftovers);
      failures.throwIfAny();
    }
  }
}
