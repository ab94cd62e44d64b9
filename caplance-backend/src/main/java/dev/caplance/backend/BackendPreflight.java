package dev.caplance.backend;

import dev.caplance.backend.health.CheckTarget;
import dev.caplance.backend.preflight.ArpRestraint;
import dev.caplance.backend.preflight.Listening;
import dev.caplance.backend.preflight.Passage;
import dev.caplance.backend.preflight.PassedOn;
import dev.caplance.backend.preflight.Placement;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.Interfaces;
import dev.caplance.host.KernelParameter;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The preflight checks of a backend. */
final class BackendPreflight {

  private final BackendConfig config;
  private final CommandRunner commands = new CommandRunner();
  private final Path socket;

  private BackendPreflight(BackendConfig config) {
    this.config = config;
    this.socket = config.runDirectory().resolve("backend.sock");
  }

  /** The checks for a configuration, before the start of the daemon or while it runs. */
  static List<Preflight.Check> checks(BackendConfig config) {
    return new BackendPreflight(config).checks();
  }

  private List<Preflight.Check> checks() {
    return List.of(
        new Loading(),
        new Capabilities("backend"),
        new Programs(programs()),
        new WritableDirectory("runDirectory", config.runDirectory()),
        new WritableDirectory("stateDirectory", config.stateDirectory()),
        Running.unless(
            socket,
            new FreePort(
                "udp", new InetSocketAddress(config.address(), config.dataPort()), "dataPort")),
        this::placement,
        this::arp,
        this::firewall,
        this::listening);
  }

  private List<String> programs() {
    List<String> programs =
        new ArrayList<>(List.of("ip", "ss", "iptables-nft-save", "iptables-nft-restore"));
    if (config.checks().stream().anyMatch(one -> one.target() instanceof CheckTarget.Command)) {
      programs.add("setsid");
    }
    return programs;
  }

  private List<Finding> placement() throws IOException {
    boolean attached = !config.attachVip() || Running.isServed(socket);
    return new Placement(config.address(), config.vips(), config.mtu(), attached)
        .findings(Interfaces.list(commands));
  }

  private List<Finding> arp() throws IOException {
    return config.setSysctls()
        ? List.of()
        : new ArpRestraint(config.vips()).findings(Interfaces.list(commands));
  }

  private List<Finding> firewall() throws IOException {
    if (!Capabilities.complete() || !CommandRunner.has("iptables-nft-save")) {
      return List.of();
    }
    boolean ipv6 =
        !Stream.concat(Stream.of(config.address()), config.vips().stream())
            .allMatch(IpAddresses::isIpv4);
    List<InetSocketAddress> loadBalancers =
        config.loadBalancers().stream()
            .map(peer -> new InetSocketAddress(peer.address(), peer.port()))
            .toList();
    Firewall firewall = Firewall.read(commands, ipv6);
    Interfaces interfaces = Interfaces.list(commands);
    List<Finding> findings =
        new ArrayList<>(
            new Passage(config.address(), config.dataPort(), loadBalancers, config.vips())
                .findings(firewall, interfaces));
    findings.addAll(
        new PassedOn(
                config.vips(),
                config.joinSegments(),
                isOn("net/ipv4/ip_forward"),
                isOn("net/ipv6/conf/all/forwarding"))
            .findings(firewall, interfaces));
    return findings;
  }

  /** Whether the kernel has a switch and it is on. */
  private static boolean isOn(String name) throws IOException {
    Path file = Path.of("/proc/sys").resolve(name);
    return Files.exists(file) && !KernelParameter.read(file).equals("0");
  }

  private List<Finding> listening() throws IOException {
    Set<Listening.Target> targets =
        config.checks().stream()
            .flatMap(check -> asked(check.target()))
            .collect(Collectors.toCollection(LinkedHashSet::new));
    return new Listening(config.vips(), config.dataPort(), targets)
        .findings(commands.run("ss", "-Hltun"));
  }

  /** What a check asks; none for a command. */
  private static Stream<Listening.Target> asked(CheckTarget target) {
    if (target instanceof CheckTarget.Tcp tcp) {
      return Stream.of(listening("tcp", tcp.address()));
    } else if (target instanceof CheckTarget.Http http) {
      return Stream.of(listening("tcp", http.address()));
    }
    return target instanceof CheckTarget.Udp udp
        ? Stream.of(listening("udp", udp.address()))
        : Stream.empty();
  }

  private static Listening.Target listening(String protocol, InetSocketAddress address) {
    return new Listening.Target(protocol, address.getAddress(), address.getPort());
  }
}
