package dev.caplance.lb;

import dev.caplance.config.ConfigException;
import dev.caplance.config.LoggingConfig;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonCommand;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.Failures;
import dev.caplance.host.Journal;
import dev.caplance.host.NetfilterRules;
import dev.caplance.host.VipAddresses;
import dev.caplance.preflight.Preflight;
import java.io.IOException;
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

  @Override
  protected void cleanUp(LbConfig config) throws IOException {
    CommandRunner commands = new CommandRunner();
    try (Journal journal = Journal.open(config.runDirectory(), "lb")) {
      Failures failures = new Failures();
      failures.attempt(new VipAddresses(journal, commands)::detachAll);
      failures.attempt(new NetfilterRules(0, 1, commands)::remove);
      failures.throwIfAny();
    }
  }
}
