package dev.caplance.lb;

import dev.caplance.control.ControlServer;
import dev.caplance.daemon.Cleanup;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.daemon.Upkeep;
import dev.caplance.daemon.Version;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.Journal;
import dev.caplance.host.NetfilterRules;
import dev.caplance.host.OwnAddresses;
import dev.caplance.host.VipAddresses;
import dev.caplance.lb.admin.ExplainMethod;
import dev.caplance.lb.admin.RegisteredBackends;
import dev.caplance.lb.admin.StatusMethod;
import dev.caplance.lb.admin.WhatIfMethod;
import dev.caplance.lb.dataplane.nfqueue.FlowTimeouts;
import dev.caplance.lb.dataplane.nfqueue.NfqueueDataplane;
import dev.caplance.lb.registry.BackendRegistry;
import dev.caplance.lb.registry.RegistrySettings;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
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
 * The load-balancer daemon: builds its parts, starts them in the order in which they need each
 * other, and stops them in the opposite one.
 *
 * <p>The queues are bound before rules lead packets there, the rules are in place before the VIP is
 * attached, and the other way round at the end: in any other order the machine's own TCP would
 * reset the clients' connections.
 */
public final class LoadBalancer implements Daemon {

  private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

  private final LbConfig config;
  private final DaemonRunner runner;
  private final CommandRunner commands = new CommandRunner();
  private final Cleanup cleanup = new Cleanup();

  /** A load balancer that has not been started. */
  public LoadBalancer(LbConfig config, DaemonRunner runner) {
    this.config = config;
    this.runner = runner;
  }

  @Override
  public void start() throws IOException {
    Journal journal = Journal.open(config.runDirectory(), "lb");
    cleanup.atStop("close the journal", journal::close);
    VipAddresses addresses = new VipAddresses(journal, commands);
    addresses.retain(config.attachVip() ? config.vips() : List.of());

    TableAssembler tables =
        new TableAssembler(config.services(), new FlowHash(hashKey()), config.maglevSize());
    BackendRegistry registry = new BackendRegistry(registrySettings(), tables);
    cleanup.atStop("end the sessions", registry::stop);

    NfqueueDataplane dataplane = dataplane(tables);
    dataplane.start();
    dataplane.missing().forEach(LOG::info);
    cleanup.atStop("stop the workers", dataplane::stop);
    tables.publishTo(dataplane);

    NetfilterRules rules = rules();
    cleanup.atStop("remove the rules", rules::remove);
    rules.install();
    LOG.info("packets for {} go to {}", vipText(), queueText());

    registry.start(failure -> runner.fail("the registry failed", failure));

    VipKeeper keeper = new VipKeeper(config, addresses, rules, tables);
    cleanup.atStop("remove the virtual addresses", addresses::detachAll);
    keeper.attach();
    Upkeep upkeep = new Upkeep(keeper.tasks(), failure -> runner.fail("the upkeep ended", failure));
    cleanup.atStop("end the upkeep", upkeep::close);
    upkeep.start();

    RegisteredBackends backends = new RegisteredBackends(registry::status);
    ControlServer control =
        new ControlServer(
            config.runDirectory().resolve("lb.sock"),
            Map.of(
                "status",
                new StatusMethod(
                    Version.TEXT,
                    tables::routing,
                    backends,
                    dataplane,
                    keeper::droppedOtherTraffic),
                "explain",
                new ExplainMethod(tables::routing, backends, dataplane),
                "whatif",
                new WhatIfMethod(tables::routing)));
    cleanup.atStop("close the control socket", control::close);
    control.start();
  }

  private String vipText() {
    return config.vips().stream().map(IpAddresses::format).collect(Collectors.joining(", "));
  }

  private String queueText() {
    return "NFQUEUE " + config.queues().first() + " to " + config.queues().last();
  }

  private byte[] hashKey() throws IOException {
    return config.hashKey().isPresent()
        ? HexFormat.of().parseHex(config.hashKey().get())
        : HashKeyStore.loadOrCreate(config.stateDirectory());
  }

  private RegistrySettings registrySettings() {
    return new RegistrySettings(
        new InetSocketAddress(config.session().address(), config.session().port()),
        config.session().registerTimeout(),
        config.session().readTimeout(),
        Set.copyOf(config.vips()),
        config.services().stream().map(LbConfig.Service::name).toList(),
        config.services().stream().anyMatch(LbConfig.Service::legacy),
        config.dataPort(),
        config.queues().count(),
        config.stateDirectory().resolve("backends"));
  }

  private NfqueueDataplane dataplane(TableAssembler tables) throws IOException {
    LbConfig.Queues queues = config.queues();
    LbConfig.Flows flows = config.flows();
    return new NfqueueDataplane(
        queues.first(),
        queues.count(),
        queues.length(),
        OwnAddresses.widestMtu(),
        flows.max(),
        new FlowTimeouts(flows.tcpIdle(), flows.udpIdle(), flows.closingIdle()),
        tables.table(),
        failure -> runner.fail("a worker ended", failure));
  }

  private NetfilterRules rules() {
    List<NetfilterRules.Vip> vips = config.vips().stream().map(this::rulesOf).toList();
    return new NetfilterRules(vips, config.queues().first(), config.queues().count(), commands);
  }

  private NetfilterRules.Vip rulesOf(InetAddress vip) {
    List<LbConfig.Service> services =
        config.services().stream().filter(service -> service.vip().equals(vip)).toList();
    Ports ports = services.stream().map(LbConfig.Service::ports).reduce(Ports.NONE, Ports::union);
    boolean dropOther = services.get(0).otherTraffic() == LbConfig.OtherTraffic.DROP;
    return new NetfilterRules.Vip(vip, ports, dropOther);
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
