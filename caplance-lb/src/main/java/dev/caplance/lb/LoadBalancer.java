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
import dev.caplance.host.VipNeighbours;
import dev.caplance.lb.admin.ExplainMethod;
import dev.caplance.lb.admin.ReadyMethod;
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
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
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

  /** Of a stop: until the VIPs are gone, and for the rules after that. systemd waits 30 s. */
  private static final Duration VIPS = Duration.ofSeconds(20);

  private static final Duration RULES = Duration.ofSeconds(5);
  private static final Duration STOP_COMMAND = Duration.ofSeconds(3);

  private final LbConfig config;
  private final DaemonRunner runner;
  private final CommandRunner commands = new CommandRunner();
  private final Cleanup cleanup = new Cleanup();
  private final VipDeparture departure = new VipDeparture(OwnAddresses::onLinks);
  private volatile Supplier<List<String>> troubles = List::of;

  /**
   * Creates a load balancer without starting it.
   *
   * @param runner told about failures after which the daemon cannot continue
   */
  public LoadBalancer(LbConfig config, DaemonRunner runner) {
    this.config = config;
    this.runner = runner;
  }

  /** Takes everything that another process may have before it changes anything on the machine. */
  @Override
  public void start() throws IOException {
    DesiredState desired = DesiredState.of(config);
    Journal journal = Journal.open(config.runDirectory(), "lb");
    cleanup.atStop("close the journal", journal::close);
    ControlServer.requireFree(config.runDirectory().resolve("lb.sock"));

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
    cleanup.atStop("stop the data plane", () -> stop(dataplane));
    tables.publishTo(dataplane);
    listenIfPossible(registry);

    VipNeighbours neighbours = new VipNeighbours();
    cleanup.atStop("stop listening to neighbours", neighbours::close);
    VipAddresses addresses = new VipAddresses(journal, commands, neighbours::holders);
    VipKeeper keeper = new VipKeeper(addresses, neighbours);
    ServedVips vips = new ServedVips(desired, dataplane, addresses, keeper);
    vips.apply();
    LOG.info("packets for {} are directed to {}", vipText(), queueText());
    registry.start(failure -> runner.fail("the registry thread failed", failure));
    cleanup.atStop("remove the VIPs", addresses::detachAll);

    Upkeep upkeep = upkeep(tables, registry, dataplane, vips, keeper);
    cleanup.atStop("stop the upkeep", upkeep::close);
    upkeep.lookFirst(() -> runner.report(this));
    troubles = upkeep::troubles;
    upkeep.start();
    MachineEvents events = new MachineEvents(upkeep::wake);
    cleanup.atStop("stop listening to the machine", events::close);
    if (!config.attachVip()) {
      cleanup.atStop("wait until the VIPs have left", () -> departure.await(config.vips(), VIPS));
    }
    ControlServer control = control(tables, registry, dataplane);
    cleanup.atStop("close the control socket", control::close);
    control.start();
    HeapNeed.warnIfMoreThanThereIs(config);
  }

  /**
   * An address that this machine does not have yet, as it may be while it boots, is no reason to
   * end: the upkeep tries again.
   */
  private void listenIfPossible(BackendRegistry registry) throws IOException {
    try {
      registry.listen();
    } catch (IOException e) {
      InetAddress address = config.session().address();
      if (address.isAnyLocalAddress() || OwnAddresses.list().contains(address)) {
        throw e;
      }
      LOG.debug("cannot listen yet", e);
    }
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
      TableAssembler tables,
      BackendRegistry registry,
      Dataplane dataplane,
      ServedVips vips,
      VipKeeper keeper) {
    LossWatch losses = new LossWatch(() -> LostTraffic.of(dataplane.status()));
    return new Upkeep(
        List.of(
            new Upkeep.Task("keep the netfilter rules in place", dataplane::maintain),
            new Upkeep.Task("look for lost packets", losses::look),
            new Upkeep.Task("serve all VIPs", vips::maintain),
            new Upkeep.Task("keep the VIPs in place", keeper::maintain),
            new Upkeep.Task("let backends register", registry::listen),
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
            new StatusMethod(Version.TEXT, tables::table, backends, dataplane, troubles),
            "ready",
            new ReadyMethod(tables::table, troubles),
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
    List<String> now = troubles.get();
    return now.isEmpty()
        ? "balancing " + vipText() + ", backends register on port " + config.session().port()
        : String.join("; ", now);
  }

  /**
   * One deadline for all. The rules have the last seconds for themselves, since a VIP that stays
   * behind without them would have this machine reset its clients.
   */
  @Override
  public void stop() {
    commands.hurry(STOP_COMMAND, VIPS);
    cleanup.run();
  }

  private void stop(Dataplane dataplane) {
    commands.hurry(STOP_COMMAND, RULES);
    dataplane.stop();
  }

  @Override
  public void hurry() {
    departure.hurry();
  }
}
