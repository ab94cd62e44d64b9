package dev.caplance.lb;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonCommand;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.preflight.Preflight;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code caplance lb}. */
@Command(name = "lb", description = "Runs the load balancer until SIGTERM.")
public final class LoadBalancerCommand extends DaemonCommand<LbConfig> {

  public LoadBalancerCommand() {
    super(Path.of("/etc/caplance/lb.yaml"));
  }

  @Override
  protected LbConfig load(Path file) throws ConfigException {
    return LbConfig.load(file);
  }

  @Override
  protected LoggingConfig logging(LbConfig config) {
    return config.logging();
  }

  @Override
  protected List<Preflight.Check> checks(LbConfig config) {
    return LbPreflight.checks(config);
  }

  @Override
  protected Daemon daemon(LbConfig config, DaemonRunner runner) {
    return new LoadBalancer(config, runner);
  }
}
