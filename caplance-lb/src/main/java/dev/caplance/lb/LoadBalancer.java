package dev.caplance.lb;

import dev.caplance.control.ControlServer;
import dev.caplance.daemon.Cleanup;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.daemon.LoopReports;
import dev.caplance.daemon.LossWatch;
import dev.caplance.daemon.Upkeep;
import dev.caplance.daemon.Version;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.Journal;
import dev.caplance.host.MachineEvents;
import dev.caplance.host.OwnAddresses;
import dev.caplance.host.VipAddresses;
import dev.caplance.lb.admin.ExplainMethod;
import dev.caplance.lb.admin.RegisteredBackends;
import dev.caplance.lb.admin.StatusMethod;
import dev.caplance.lb.admin.WhatIfMethod;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.dataplane.nfqueue.NfqueueDataplane;
import dev.caplance.lb.registry.BackendRegistry;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The load-balancer daemon: builds its components, starts them in the order of their dependencies,
 * and stops them in reverse.
 *
 * <p>The data plane starts before a VIP is attached and stops after it has been removed; in any
 * other order the host's own TCP would reset the clients' connections.
 */
public final class LoadBalancer implements Daemon {

  private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

  private final LbConfig config;
  private final DaemonRunner runner;
  private final CommandRunner commands = new CommandRunner();
  private final Cleanup cleanup = new Cleanup();

  /**
   * Creates a load balancer without starting it.
   *
   * @param runner told about failures after which the daemon cannot continue
   */
  public LoadBalancer(LbConfig config, DaemonRunner runner) {
    this.config = config;
    this.runner = runner;
  }

  @Override
  public void start() throws IOException {
    DesiredState desired = DesiredState.of(config);
    Journal journal = Journal.open(config.runDirectory(), "lb");
    cleanup.atStop("close the journal", journal::close);
    ControlServer.requireFree(config.runDirectory().resolve("lb.sock"));
    VipAddresses addresses = new VipAddresses(journal, commands);
    addresses.retain(desired.attachedVips().keySet());

    TableAssembler tables = new TableAssembler(new FlowHash(hashKey()), config.maglevSize());
    tables.ownAddresses(OwnAddresses.list());
    tables.apply(desired.services());
    Dataplane dataplane = dataplane(desired, tables);
    BackendRegistry registry = registry(dataplane, tables);
    cleanup.atStop("close the sessions", registry::stop);
    registry.apply(desired.registry());
    dataplane.onProbeReply((sender, token) -> registry.probeAnswered(token));

    // Rules left by a crash deliver packets at once, so the table must have the services by then.
    dataplane.start();
    cleanup.atStop("stop the data plane", dataplane::stop);
    tables.publishTo(dataplane);
    dataplane.apply(desired.services(), desired.flowTimeouts());
    LOG.info("packets for {} are directed to {}", vipText(), queueText());

    registry.start(failure -> runner.fail("the registry thread failed", failure));
    VipKeeper vips = new VipKeeper(addresses);
    cleanup.atStop("remove the VIPs", addresses::detachAll);
    vips.apply(desired.attachedVips());

    Upkeep upkeep = upkeep(tables, registry, dataplane, vips);
    cleanup.atStop("stop the upkeep", upkeep::close);
    upkeep.start();
    MachineEvents events = new MachineEvents(upkeep::wake);
    cleanup.atStop("stop listening to the machine", events::close);
    ControlServer control = control(tables, registry, dataplane);
    cleanup.atStop("close the control socket", control::close);
    control.start();
    HeapNeed.warnIfMoreThanThereIs(config);
  }

  private BackendRegistry registry(Dataplane dataplane, TableAssembler tables) {
    return new BackendRegistry(
        new InetSocketAddress(config.session().address(), config.session().port()),
        config.dataPort(),
        config.stateDirectory().resolve("backends"),
        dataplane::probe,
        tables);
  }

  private Dataplane dataplane(DesiredState desired, TableAssembler tables) throws IOException {
    LbConfig.Queues queues = config.queues();
    NfqueueDataplane.Settings settings =
        new NfqueueDataplane.Settings(
            queues.first(),
            queues.count(),
            queues.length(),
            OwnAddresses.widestMtu(),
            config.flows().max(),
            desired.flowTimeouts(),
            config.dataPort());
    return new NfqueueDataplane(
        settings, tables.table(), commands, new LoopReports(runner, "a worker thread ended"));
  }

  private Upkeep upkeep(
      TableAssembler tables, BackendRegistry registry, Dataplane dataplane, VipKeeper vips) {
    LossWatch losses = new LossWatch(() -> LostTraffic.of(dataplane.status()));
    return new Upkeep(
        List.of(
            new Upkeep.Task("keep the netfilter rules in place", dataplane::maintain),
            new Upkeep.Task("look for lost packets", losses::look),
            new Upkeep.Task("keep the VIPs in place", vips::maintain),
            new Upkeep.Task(
                "read the addresses of this host", () -> readAddresses(tables, registry))),
        failure -> runner.fail("the upkeep thread ended", failure));
  }

  private static void readAddresses(TableAssembler tables, BackendRegistry registry)
      throws IOException {
    Set<InetAddress> addresses = OwnAddresses.list();
    tables.ownAddresses(addresses);
    registry.ownAddresses(addresses);
  }

  private ControlServer control(
      TableAssembler tables, BackendRegistry registry, Dataplane dataplane) {
    RegisteredBackends backends = new RegisteredBackends(registry::entries);
    return new ControlServer(
        config.runDirectory().resolve("lb.sock"),
        Map.of(
            "status",
            new StatusMethod(Version.TEXT, tables::table, backends, dataplane),
            "explain",
            new ExplainMethod(tables::table, backends, dataplane),
            "whatif",
            new WhatIfMethod(tables::table)));
  }

  private String vipText() {
    return config.vips().stream().map(IpAddresses::format).collect(Collectors.joining(", "));
  }

  private String queueText() {
    return "NFQUEUE queues " + config.queues().first() + " to " + config.queues().last();
  }

  private byte[] hashKey() throws IOException {
    return config.hashKey().isPresent()
        ? HexFormat.of().parseHex(config.hashKey().get())
        : HashKeyStore.loadOrCreate(config.stateDirectory());
  }

  @Override
  public String describe() {
    return "balancing " + vipText() + ", backends register on port " + config.session().port();
  }

  @Override
  public void stop() {
    cleanup.run();
  }
}
