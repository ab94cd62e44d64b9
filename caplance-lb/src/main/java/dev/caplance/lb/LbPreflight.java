package dev.caplance.lb;

import dev.caplance.host.CommandRunner;
import dev.caplance.host.Interfaces;
import dev.caplance.lb.preflight.JoinedPackets;
import dev.caplance.lb.preflight.Passage;
import dev.caplance.lb.preflight.QueueTarget;
import dev.caplance.lb.preflight.Queues;
import dev.caplance.lb.preflight.Vacancy;
import dev.caplance.lb.preflight.VipNetworks;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Capabilities;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.FreePort;
import dev.caplance.preflight.Loading;
import dev.caplance.preflight.Preflight;
import dev.caplance.preflight.Programs;
import dev.caplance.preflight.Running;
import dev.caplance.preflight.WritableDirectory;
import dev.caplance.preflight.firewall.Firewall;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The preflight checks of a load balancer. */
final class LbPreflight {

  private final LbConfig config;
  private final CommandRunner commands = new CommandRunner();

  private LbPreflight(LbConfig config) {
    this.config = config;
  }

  /** The checks for a configuration, before the start of the daemon or while it runs. */
  static List<Preflight.Check> checks(LbConfig config) {
    return new LbPreflight(config).checks();
  }

  private List<Preflight.Check> checks() {
    Path socket = config.runDirectory().resolve("lb.sock");
    List<Preflight.Check> checks = new ArrayList<>();
    checks.add(new Loading());
    checks.add(new Capabilities("lb"));
    checks.add(new Programs(programs()));
    checks.add(new WritableDirectory("runDirectory", config.runDirectory()));
    if (config.hashKey().isEmpty()) {
      checks.add(new WritableDirectory("stateDirectory", config.stateDirectory()));
    }
    checks.add(Running.unless(socket, new FreePort("tcp", sessions(), "session.port")));
    checks.add(Running.unless(socket, new Queues(config.queues().first(), config.queues().last())));
    checks.add(this::queueTargets);
    checks.add(this::networks);
    checks.add(new JoinedPackets(commands));
    checks.add(this::firewall);
    return checks;
  }

  private List<String> programs() {
    List<String> programs = new ArrayList<>(List.of("ip"));
    families().forEach(ipv4 -> programs.addAll(netfilterPrograms(ipv4)));
    return programs;
  }

  private static List<String> netfilterPrograms(boolean ipv4) {
    String family = ipv4 ? "iptables" : "ip6tables";
    return List.of(family + "-nft-save", family + "-nft-restore");
  }

  /** Of the VIPs; true stands for IPv4. */
  private List<Boolean> families() {
    return config.vips().stream().map(IpAddresses::isIpv4).distinct().toList();
  }

  private boolean canReadRules(boolean ipv4) throws IOException {
    return Capabilities.complete() && netfilterPrograms(ipv4).stream().allMatch(CommandRunner::has);
  }

  private List<Finding> queueTargets() throws IOException {
    List<Finding> findings = new ArrayList<>();
    for (boolean ipv4 : families()) {
      if (canReadRules(ipv4)) {
        findings.addAll(new QueueTarget(ipv4, commands).findings());
      }
    }
    return findings;
  }

  private List<Finding> networks() throws IOException {
    Interfaces interfaces = Interfaces.list(commands);
    List<Finding> findings =
        new ArrayList<>(
            new Vacancy(config.vips(), config.attachVip(), config.interfaceName())
                .findings(interfaces));
    if (config.attachVip()) {
      findings.addAll(new VipNetworks(config.vips(), config.interfaceName()).findings(interfaces));
    }
    return findings;
  }

  private List<Finding> firewall() throws IOException {
    if (!canReadRules(true)) {
      return List.of();
    }
    boolean ipv6 = !IpAddresses.isIpv4(config.session().address()) || families().contains(false);
    Passage passage =
        new Passage(config.vips(), sessions(), config.dataPort(), config.interfaceName());
    return passage.findings(Firewall.read(commands, ipv6), Interfaces.list(commands));
  }

  private InetSocketAddress sessions() {
    return new InetSocketAddress(config.session().address(), config.session().port());
  }
}
