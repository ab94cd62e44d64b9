package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Maglev;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import dev.caplance.session.Communicator;
import dev.caplance.session.EventLoop;
import dev.caplance.session.SanityDatagram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A registry without a network and with a clock of its own, on an event loop that the test turns:
 * things happen only when the test says so.
 */
final class RegistryHarness implements AutoCloseable {

  static final InetAddress LOAD_BALANCER = IpAddresses.parse("10.0.0.2");
  static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  static final InetAddress OTHER_VIP = IpAddresses.parse("2001:db8::50");
  static final int MAX_BACKENDS_PER_ADDRESS = 64;
  static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private static final Duration STEP = Duration.ofMillis(100);

  final List<List<BackendView>> published = new ArrayList<>();

  /** Whether no backend was awaited when the registry published last. */
  boolean complete = true;

  final RecordingDataPath dataPath = new RecordingDataPath();
  final EventLoop loop;
  final BackendRegistry registry;
  final Path rosterFile;
  private long nanos;
  private int sessions;
  boolean publishingFails;

  /** Whether what is published takes effect. */
  boolean inEffect = true;

  RegistryHarness() {
    this(true, Maglev.MAX_BACKENDS);
  }

  RegistryHarness(boolean legacyService, int maxBackends) {
    this(legacyService, maxBackends, newRosterFile());
  }

  /** A registry that follows another one with this roster. */
  RegistryHarness(Path rosterFile) {
    this(true, Maglev.MAX_BACKENDS, rosterFile);
  }

  private RegistryHarness(boolean legacyService, int maxBackends, Path rosterFile) {
    this.rosterFile = rosterFile;
    loop = new EventLoop("test", () -> nanos);
    registry =
        new BackendRegistry(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            1337,
            rosterFile,
            this::publish,
            dataPath,
            loop,
            () -> START.plusNanos(nanos));
    dataPath.answer = registry::probeAnswered;
    registry.apply(settings(legacyService, maxBackends));
  }

  private static RegistrySettings settings(boolean legacyService, int maxBackends) {
    return new RegistrySettings(
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        Duration.ofSeconds(2),
        maxBackends,
        MAX_BACKENDS_PER_ADDRESS,
        List.of(
            service("web", legacyService),
            service("mail", false),
            service("dns", OTHER_VIP, false)));
  }

  private static ServiceSpec service(String name, boolean legacy) {
    return service(name, VIP, legacy);
  }

  private static ServiceSpec service(String name, InetAddress vip, boolean legacy) {
    return new ServiceSpec(
        name,
        vip,
        Ports.ALL,
        legacy,
        ServiceSpec.WhenAllUnhealthy.FORWARD,
        ServiceSpec.WhenEmpty.REJECT,
        ServiceSpec.OtherTraffic.HOST);
  }

  private static Path newRosterFile() {
    try {
      Path file = Files.createTempFile("caplance", ".backends");
      Files.delete(file);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Remembers what was sent, and refuses what it was told to refuse. */
  static final class RecordingDataPath implements DataPath {

    final List<InetAddress> targets = new ArrayList<>();
    final Map<InetAddress, String> tokens = new HashMap<>();
    final Map<InetAddress, String> refused = new HashMap<>();
    final List<Probe> probes = new ArrayList<>();
    int mtu = 1500;

    /** Whether the backends answer probes by UDP. */
    boolean answersProbes = true;

    /** The size in bytes of the largest packets that arrive. */
    int largestThatArrives = 65_535;

    /** Answers a probe as the data plane does. */
    Consumer<String> answer = token -> {};

    Probe lastProbe() {
      return probes.get(probes.size() - 1);
    }

    /** A path probe that was sent. */
    record Probe(Target target, String token, boolean padded) {}

    @Override
    public int mtu(InetAddress dataAddress) {
      return mtu;
    }

    @Override
    public boolean probe(Target target, String token, boolean padded) {
      probes.add(new Probe(target, token, padded));
      if (answersProbes && !(padded && target.mtu() > largestThatArrives)) {
        answer.accept(token);
      }
      return true;
    }

    @Override
    public Route routeTo(InetAddress dataAddress, Set<InetAddress> vips) throws RefusedException {
      if (refused.containsKey(dataAddress)) {
        throw new RefusedException(refused.get(dataAddress));
      }
      return new Route(LOAD_BALANCER, mtu);
    }

    @Override
    public void send(InetAddress dataAddress, SanityDatagram datagram) {
      targets.add(dataAddress);
      tokens.put(dataAddress, datagram.token());
    }

    /** The token that was last sent to an address. */
    String token(String address) {
      return tokens.get(IpAddresses.parse(address));
    }
  }

  /** The backend's end of a session. */
  final class Peer implements Communicator {

    private final InetSocketAddress address;
    private final ArrayDeque<String> said = new ArrayDeque<>();
    private final List<String> heard = new ArrayList<>();

    /** Where new flows went when the last line was heard. */
    List<String> forwardingWhenHeard;

    private IOException broken;
    private BackendSession session;
    boolean closed;

    private Peer(InetSocketAddress address) {
      this.address = address;
    }

    /** Says lines, which arrive together, and lets the registry's turn end. */
    void say(String... lines) {
      sayWithinTheTurn(lines);
      turn();
    }

    void sayWithinTheTurn(String... lines) {
      said.addAll(List.of(lines));
      session.readable();
    }

    /** The session breaks, and the registry's turn ends. */
    void breakWith(IOException cause) {
      broken = cause;
      session.readable();
      turn();
    }

    /** The lines received since this was last called. */
    List<String> hear() {
      List<String> lines = List.copyOf(heard);
      heard.clear();
      return lines;
    }

    BackendSession.State state() {
      return session.state();
    }

    @Override
    public String readLine() throws IOException {
      if (closed) {
        return null;
      }
      if (said.isEmpty() && broken != null) {
        throw broken;
      }
      return said.poll();
    }

    @Override
    public void writeLine(String line) {
      if (!closed) {
        heard.add(line);
        forwardingWhenHeard = forwarding();
      }
    }

    @Override
    public void close() {
      closed = true;
    }

    @Override
    public InetSocketAddress peer() {
      return address;
    }
  }

  /** A new session from an address. */
  Peer connect(String from) {
    Peer peer =
        new Peer(new InetSocketAddress(IpAddresses.parse(from), 1024 + sessions++ % 60_000));
    peer.session = registry.open(peer);
    return peer;
  }

  /** A session that has sent REGISTER and the right SANE, and whose replies have been read. */
  Peer register(String name, String address, String... options) {
    Peer peer = connect(address);
    peer.say(
        String.join(" ", "REGISTER " + name + " " + address, String.join(" ", options)).strip());
    peer.say("SANE " + dataPath.token(address));
    peer.hear();
    return peer;
  }

  /** A backend that speaks the current protocol and is healthy. */
  Peer registerHealthy(String name, String address) {
    Peer peer = register(name, address, "version=2", "health=5s", "intent=active");
    peer.say("HEALTH 200");
    peer.hear();
    return peer;
  }

  /** The same, and it answers path probes. */
  Peer registerProbed(String name, String address, String... options) {
    Peer peer =
        register(name, address, "version=2 health=5s probe=1 " + String.join(" ", options).strip());
    peer.say("HEALTH 200");
    peer.hear();
    turn();
    return peer;
  }

  /** The process stands still, and goes on with one turn. */
  void standStill(Duration duration) {
    nanos += duration.toNanos();
    turn();
  }

  void turn() {
    loop.turn(Duration.ZERO);
  }

  private boolean publish(List<BackendView> backends, boolean nowComplete) {
    if (publishingFails) {
      throw new IllegalStateException("a bug in the publisher");
    }
    published.add(backends);
    complete = nowComplete;
    return inEffect;
  }

  /** Lets time pass, in small steps, with all that becomes due. */
  void advance(Duration duration) {
    long left = duration.toNanos();
    while (left > 0) {
      long step = Math.min(left, STEP.toNanos());
      nanos += step;
      left -= step;
      turn();
    }
  }

  /** What was published last. */
  List<BackendView> lastPublished() {
    return published.isEmpty() ? List.of() : published.get(published.size() - 1);
  }

  /** The names of the backends that get new flows now. */
  List<String> forwarding() {
    return lastPublished().stream()
        .filter(BackendView::takesNewFlows)
        .map(BackendView::name)
        .toList();
  }

  /** The names of the backends that may keep their flows. */
  List<String> retaining() {
    return lastPublished().stream().map(BackendView::name).toList();
  }

  private List<BackendRegistry.Entry> entries() {
    CompletableFuture<List<BackendRegistry.Entry>> entries = registry.entries();
    turn();
    return entries.join();
  }

  BackendRegistry.Entry entry(String name) {
    return entries().stream()
        .filter(entry -> entry.backend().name().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not registered"));
  }

  List<String> registered() {
    return entries().stream().map(entry -> entry.backend().name()).toList();
  }

  /** Ends it as a crash would: nothing is said, and what is on disk stays. */
  void crash() {
    loop.close();
  }

  @Override
  public void close() {
    loop.close();
    try {
      Files.deleteIfExists(rosterFile);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
