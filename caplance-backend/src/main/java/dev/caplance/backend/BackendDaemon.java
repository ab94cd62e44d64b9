package dev.caplance.backend;

import dev.caplance.backend.admin.BackendMethods;
import dev.caplance.backend.admin.Identity;
import dev.caplance.backend.dataplane.Decapsulator;
import dev.caplance.backend.drain.Drainer;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.session.LoadBalancer;
import dev.caplance.backend.session.LoadBalancerSessions;
import dev.caplance.backend.session.Offer;
import dev.caplance.backend.session.SessionSettings;
import dev.caplance.control.ControlServer;
import dev.caplance.daemon.Cleanup;
import dev.caplance.daemon.Daemon;
import dev.caplance.daemon.DaemonRunner;
import dev.caplance.daemon.LoopReports;
import dev.caplance.daemon.Upkeep;
import dev.caplance.daemon.Version;
import dev.caplance.host.CommandException;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.Journal;
import dev.caplance.host.MssClamp;
import dev.caplance.host.OpenConnections;
import dev.caplance.host.OwnAddresses;
import dev.caplance.host.Sysctls;
import dev.caplance.host.VipAddresses;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backend daemon: builds its parts, starts them in the order in which they need each other, and
 * stops them in the opposite one.
 *
 * <p>ARP is restrained before the VIP is attached, or this machine would take it over from the load
 * balancer; the data port is open before the first registration, whose check needs it; the
 * application counts as unfit before it has been checked; and at the end the backend drains and
 * deregisters before it stops to unwrap.
 */
public final class BackendDaemon implements Daemon {

  private static final Logger LOG = LoggerFactory.getLogger(BackendDaemon.class);

  private static final String VIP_DEVICE = "lo";
  private static final int USUAL_MTU = 1500;

  /**
   * Answer ARP only for addresses of the interface that is asked, and ask only in the name of such
   * addresses (Documentation/networking/ip-sysctl.rst).
   */
  private static final Map<String, String> ARP_RESTRAINT =
      Map.of("net.ipv4.conf.all.arp_ignore", "1", "net.ipv4.conf.all.arp_announce", "2");

  private final BackendConfig config;
  private final DaemonRunner runner;
  private final Cleanup cleanup = new Cleanup();
  private volatile Runnable onHurry = () -> {};

  /** A backend that has not been started. */
  public BackendDaemon(BackendConfig config, DaemonRunner runner) {
    this.config = config;
    this.runner = runner;
  }

  @Override
  public void start() throws IOException {
    Journal journal = Journal.open(config.runDirectory(), "backend");
    cleanup.atStop("close the journal", journal::close);

    VipAddresses addresses = new VipAddresses(journal, new CommandRunner());
    addresses.retain(config.attachVip() ? config.vips() : List.of());
    Sysctls sysctls = new Sysctls(journal);
    cleanup.atStop("restore the kernel parameters", sysctls::restoreAll);
    sysctls.apply(config.setSysctls() ? ARP_RESTRAINT : Map.of());
    cleanup.atStop("remove the virtual addresses", addresses::detachAll);
    attachVips(addresses);
    Offer offer = offer();
    int mtu = offer.mtu().orElse(USUAL_MTU);
    MssClamp mssClamp = clampMss(mtu);
    cleanup.atStop("remove the MSS rules", mssClamp::remove);

    Decapsulator decapsulator =
        Decapsulator.open(
            config.address(),
            config.dataPort(),
            config.vips(),
            config.joinSegments(),
            new LoopReports(runner, "unwrapping ended"));
    cleanup.atStop("stop unwrapping", decapsulator::stop);
    decapsulator.missing().forEach(LOG::info);
    LoadBalancerSessions sessions =
        new LoadBalancerSessions(sessionSettings(offer), loadBalancers(), decapsulator::acceptFrom);
    decapsulator.start(sessions::onSanity);

    MtuWatch mtuWatch = new MtuWatch(this::mtu, mtu);
    ReversePathWatch reversePath = new ReversePathWatch(decapsulator::avoidLink);
    Upkeep upkeep =
        new Upkeep(
            List.of(
                new Upkeep.Task(
                    "read the addresses of this machine",
                    () -> lookAtAddresses(reversePath, decapsulator)),
                new Upkeep.Task(
                    "keep the virtual addresses in place",
                    () -> addresses.restoreMissing(vip -> {})),
                new Upkeep.Task(
                    "keep the MSS rules in place", () -> mssClamp.check().forEach(LOG::warn)),
                new Upkeep.Task("watch the MTU", mtuWatch::look)),
            failure -> runner.fail("the upkeep ended", failure));
    cleanup.atStop("end the upkeep", upkeep::close);
    lookAtAddresses(reversePath, decapsulator);
    upkeep.start();

    HealthChecks checks = new HealthChecks(config.checks(), sessions::health);
    Drainer drainer =
        new Drainer(sessions, new OpenConnections(config.vips(), new CommandRunner())::count);
    onHurry = drainer::hurry;
    ControlServer control =
        new ControlServer(
            config.runDirectory().resolve("backend.sock"),
            BackendMethods.all(identity(offer), sessions, checks, drainer, decapsulator));
    cleanup.atStop("deregister", sessions::stop);
    cleanup.atStop("end the checks", checks::close);
    cleanup.atStop("close the control socket", control::close);
    cleanup.atStop("end the drain", drainer::close);
    if (!config.drainOnStop().isZero()) {
      cleanup.atStop("drain", () -> drainer.drainBeforeStop(config.drainOnStop()));
    }
    checks.start();
    sessions.start(failure -> runner.fail("the sessions failed", failure));
    control.start();
  }

  private void attachVips(VipAddresses addresses) throws IOException {
    if (config.attachVip()) {
      Map<InetAddress, Optional<String>> wanted = new LinkedHashMap<>();
      config.vips().forEach(vip -> wanted.put(vip, Optional.of(VIP_DEVICE)));
      addresses.apply(wanted);
    }
  }

  /** Goes on without the rules where there can be none: clients may yet discover the path's MTU. */
  private MssClamp clampMss(int mtu) throws IOException {
    MssClamp clamp = new MssClamp(new CommandRunner());
    List<InetAddress> vips = config.clampMss() ? config.vips() : List.of();
    try {
      clamp.apply(vips, mtu, IpAddresses.isIpv4(config.address()));
    } catch (CommandException e) {
      LOG.warn(
          "cannot lower the MSS of the virtual addresses, so that large uploads depend on path MTU"
              + " discovery: {}; mend it, or set clampMss: false",
          e.getMessage());
    }
    return clamp;
  }

  /** What decides which packets get in, and how; so before the first one. */
  private static void lookAtAddresses(ReversePathWatch reversePath, Decapsulator decapsulator)
      throws IOException {
    reversePath.look();
    decapsulator.refuseSources(AddressSet.of(OwnAddresses.list()));
  }

  private Identity identity(Offer offer) {
    return new Identity(Version.TEXT, config.name(), config.address(), config.vips(), offer);
  }

  private Offer offer() throws IOException {
    return new Offer(new LinkedHashSet<>(config.services()), config.weight(), mtu());
  }

  private SessionSettings sessionSettings(Offer offer) {
    return new SessionSettings(
        config.name(),
        config.address(),
        offer,
        config.healthInterval(),
        config.reconnect().initial(),
        config.reconnect().max());
  }

  /** Of what the load balancers send to this machine, if it can be known. */
  private OptionalInt mtu() throws IOException {
    return config.mtu().isPresent()
        ? OptionalInt.of(config.mtu().get())
        : OwnAddresses.mtuOf(config.address());
  }

  private List<LoadBalancer> loadBalancers() {
    return config.loadBalancers().stream()
        .map(peer -> new LoadBalancer(peer.address(), peer.port(), peer.legacy()))
        .toList();
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
