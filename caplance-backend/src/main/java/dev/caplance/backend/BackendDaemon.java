package dev.caplance.backend;

import dev.caplance.backend.admin.BackendMethods;
import dev.caplance.backend.dataplane.Decapsulator;
import dev.caplance.backend.drain.ClientFlows;
import dev.caplance.backend.drain.Drainer;
import dev.caplance.backend.drain.ServiceGap;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.session.BackendIntent;
import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.backend.session.LoadBalancerSessions;
import dev.caplance.control.ControlServer;
import dev.caplance.daemon.Cleanup;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.daemon.LoopReports;
import dev.caplance.daemon.LossWatch;
import dev.caplance.daemon.Upkeep;
import dev.caplance.daemon.Version;
import dev.caplance.host.CommandException;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.Journal;
import dev.caplance.host.MssClamp;
import dev.caplance.host.OwnAddresses;
import dev.caplance.host.Sysctls;
import dev.caplance.host.VipAddresses;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounter;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backend daemon: opens its parts, has them apply the desired state, and at the end stops them
 * in the opposite order.
 *
 * <p>The data port is open before the first registration, whose path probe needs it, and stays open
 * until this backend has drained and deregistered.
 */
public final class BackendDaemon implements Daemon {

  private static final Logger LOG = LoggerFactory.getLogger(BackendDaemon.class);

  /** What packets become that clients lose; others are forged, or their senders get a reply. */
  private static final List<Disposition> LOSSES =
      List.of(
          Disposition.TOO_LARGE,
          Disposition.NOT_A_VIP,
          Disposition.STRANGER,
          Disposition.SEND_FAILED);

  private final BackendConfig config;
  private final DaemonRunner runner;
  private final Cleanup cleanup = new Cleanup();
  private volatile Runnable onHurry = () -> {};

  /** A backend that has not been started. */
  public BackendDaemon(BackendConfig config, DaemonRunner runner) {
    this.config = config;
    this.runner = runner;
  }

  /** The parts that make a desired state so, from whatever is, and keep it so. */
  private record Parts(
      Sysctls sysctls,
      VipAddresses addresses,
      MssClamp mssClamp,
      Decapsulator decapsulator,
      ArpWatch arp,
      ReversePathWatch reversePath,
      MtuWatch mtuWatch,
      LoadBalancerSessions sessions,
      HealthChecks checks,
      ServiceGap gap) {

    /**
     * Applies a state. ARP is restrained before a VIP is attached, or this machine would take it
     * over from the load balancer; and the application counts as unhealthy until a new check has
     * been made.
     */
    void apply(DesiredState desired) throws IOException {
      addresses.retain(desired.addresses().keySet());
      sysctls.apply(desired.sysctls());
      addresses.apply(desired.addresses());
      clampMss(desired);
      reversePath.check();
      readOwnAddresses();
      mtuWatch.apply(desired.mtu());
      mtuWatch.check();
      checks.apply(desired.checks());
      decapsulator.expectRegistrationsFrom(
          AddressSet.of(
              desired.loadBalancers().stream().map(LoadBalancerAddress::address).toList()));
      sessions.apply(desired.sessions(), desired.loadBalancers());
    }

    /** Goes on without the rules if there can be none: clients may yet discover the path MTU. */
    private void clampMss(DesiredState desired) throws IOException {
      try {
        mssClamp.apply(desired.clampedVips(), desired.mtu(), desired.outerIpv4());
      } catch (CommandException e) {
        LOG.warn(
            "cannot limit the MSS of the VIPs, so large uploads depend on path MTU discovery: {};"
                + " fix this, or set clampMss: false",
            e.getMessage());
      }
    }

    private void readOwnAddresses() throws IOException {
      decapsulator.refuseSources(AddressSet.of(OwnAddresses.list()));
    }

    /**
     * What is checked every few seconds; first what decides which packets are delivered, and how.
     */
    List<Upkeep.Task> upkeep() {
      LossWatch losses =
          new LossWatch(
              () ->
                  LossWatch.ofTraffic(
                      List.of(decapsulator.counters()),
                      LOSSES,
                      List.of(TrafficCounter.RECEIVE_ERRORS)));
      return List.of(
          new Upkeep.Task("keep the kernel parameters in place", sysctls::putBack),
          new Upkeep.Task("read arp_ignore and arp_announce", arp::check),
          new Upkeep.Task("read rp_filter", reversePath::check),
          new Upkeep.Task("read the addresses of this machine", this::readOwnAddresses),
          new Upkeep.Task("keep the VIPs in place", () -> addresses.restoreMissing(vip -> {})),
          new Upkeep.Task("keep the MSS rules in place", () -> mssClamp.check().forEach(LOG::warn)),
          new Upkeep.Task("read the MTU", mtuWatch::check),
          new Upkeep.Task("look for lost packets", losses::look),
          new Upkeep.Task("note a pause", () -> gap.observe(sessions.intent())));
    }
  }

  @Override
  public void start() throws IOException {
    CommandRunner commands = new CommandRunner();
    Journal journal = Journal.open(config.runDirectory(), "backend");
    cleanup.atStop("close the journal", journal::close);
    ControlServer.requireFree(config.runDirectory().resolve("backend.sock"));
    Sysctls sysctls = new Sysctls(journal);
    cleanup.atStop("restore the kernel parameters", sysctls::restoreAll);
    VipAddresses addresses = new VipAddresses(journal, commands);
    cleanup.atStop("remove the VIPs", addresses::detachAll);
    MssClamp mssClamp = new MssClamp(commands);
    cleanup.atStop("remove the MSS rules", mssClamp::remove);
    Decapsulator decapsulator = openDataPort();
    IntentStore intents = new IntentStore(config.stateDirectory());
    cleanup.atStop("remember the intent", intents::close);
    LoadBalancerSessions sessions = new LoadBalancerSessions(decapsulator::acceptFrom, intents);
    decapsulator.start(sessions::onPathProbe, sessions::onProbe);
    HealthChecks checks = new HealthChecks(sessions::health, onFailure("a health check"));
    Parts parts =
        new Parts(
            sysctls,
            addresses,
            mssClamp,
            decapsulator,
            new ArpWatch(),
            new ReversePathWatch(decapsulator::avoidLink),
            new MtuWatch(this::mtu, sessions::unusable),
            sessions,
            checks,
            ServiceGap.remembered(config.runDirectory().resolve("backend.stopped")));
    Upkeep upkeep = new Upkeep(parts.upkeep(), onFailure("the upkeep"));
    cleanup.atStop("end the upkeep", upkeep::close);
    cleanup.atStop("note the time", parts.gap()::stopped);
    cleanup.atStop("deregister", sessions::stop);
    cleanup.atStop("end the checks", checks::close);

    DesiredState desired = DesiredState.of(config, mtu(), decapsulator.answersProbes());
    parts.apply(desired);
    upkeep.start();
    BackendIntent intent = intents.recall();
    sessions.start(intent, onFailure("the sessions' thread"));
    Drainer drainer = serveControl(desired, parts);
    if (intent == BackendIntent.DRAINING) {
      sessions.status().join(); // They know the intent by then.
      drainer.goOn();
    }
  }

  private Decapsulator openDataPort() throws IOException {
    Decapsulator decapsulator =
        Decapsulator.open(
            config.address(),
            config.dataPort(),
            config.vips(),
            config.joinSegments(),
            new LoopReports(runner, "unwrapping ended"));
    cleanup.atStop("stop unwrapping", decapsulator::stop);
    decapsulator.missing().forEach(LOG::info);
    return decapsulator;
  }

  private Drainer serveControl(DesiredState desired, Parts parts) throws IOException {
    ClientFlows flows =
        new ClientFlows(config.vips(), new CommandRunner(), parts.decapsulator().udpFlows());
    Drainer drainer = new Drainer(parts.sessions(), flows, parts.gap());
    onHurry = drainer::hurry;
    BackendMethods.Identity identity =
        new BackendMethods.Identity(Version.TEXT, config.vips(), desired.sessions());
    ControlServer control =
        new ControlServer(
            config.runDirectory().resolve("backend.sock"),
            BackendMethods.all(
                identity, parts.sessions(), parts.checks(), drainer, parts.decapsulator()));
    cleanup.atStop("close the control socket", control::close);
    cleanup.atStop("end the drain", drainer::close);
    if (!config.drainOnStop().isZero()) {
      cleanup.atStop("drain", () -> drainer.drainBeforeStop(config.drainOnStop()));
    }
    cleanup.atStop("refuse commands", parts.sessions()::refuseCommands);
    control.start();
    return drainer;
  }

  /** Ends the daemon if one of its threads has ended although nobody stopped it. */
  private Consumer<Throwable> onFailure(String what) {
    return failure -> runner.fail(what + " ended", failure);
  }

  /** Of what the load balancers send to this machine, if it can be known. */
  private OptionalInt mtu() throws IOException {
    return config.mtu().isPresent()
        ? OptionalInt.of(config.mtu().get())
        : OwnAddresses.mtuOf(config.address());
  }

  @Override
  public String describe() {
    return "serving "
        + config.vips().stream().map(IpAddresses::format).collect(Collectors.joining(", "))
        + " as "
        + config.name();
  }

  @Override
  public void stop() {
    cleanup.run();
  }

  @Override
  public void hurry() {
    onHurry.run();
  }
}
