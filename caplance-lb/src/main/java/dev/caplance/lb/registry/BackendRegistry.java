package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Maglev;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Communicator;
import dev.caplance.session.EventLoop;
import dev.caplance.session.Message;
import dev.caplance.session.SanityDatagram;
import dev.caplance.session.TcpCommunicator;
import dev.caplance.session.TcpListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The registered backends and their sessions. The registry owns an {@link EventLoop}, on whose
 * thread everything happens except {@link #start}, {@link #stop}, {@link #apply}, {@link #entries}
 * and {@link #address}, which any thread may call. Whenever the set of backends that may get
 * packets changes, the registry hands it to a {@link TablePublisher}.
 *
 * <p>At the end of each turn of the loop in which something happened, the registry publishes first
 * and then sends the replies of the sessions, so that a backend never reads about a change that is
 * not in effect yet.
 */
public final class BackendRegistry {

  private static final Logger LOG = LoggerFactory.getLogger(BackendRegistry.class);
  private static final int MAX_UNREGISTERED = 1024;
  private static final String STOPPING = "load balancer is stopping";

  /** Pause before a change that did not take effect is published again. */
  private static final Duration REPUBLISH_DELAY = Duration.ofMillis(100);

  private final InetSocketAddress listenAddress;
  private final int dataPort;
  private final EventLoop loop;
  private final InstantSource wallClock;
  private final int maxBackends;
  private final DataPath dataPath;
  private final TablePublisher publisher;
  private final Roster roster;
  private final SecureRandom random = new SecureRandom();
  private final LimitedLog unregisteredLog;
  private final Map<String, Backend> backends = new TreeMap<>();
  private final TargetIndexes targetIndexes = new TargetIndexes();
  private final UnregisteredSessions unregistered = new UnregisteredSessions(MAX_UNREGISTERED);
  private final Set<BackendSession> toDeliver = new LinkedHashSet<>();
  private RegistrySettings settings;
  private boolean endOfTurnQueued;
  private boolean changed;
  private boolean inEffect = true;
  private boolean stopping;
  private List<BackendView> published = List.of();
  private boolean publishedComplete = true;
  private TcpListener listener;

  /**
   * Creates a registry without starting it.
   *
   * @param listenAddress for sessions; with port 0 the kernel chooses one
   * @param dataPort UDP port of all backends, 1 to 65535
   * @param rosterFile keeps the names of the backends for the next start
   * @param settings the initial settings; {@link #apply} replaces them
   * @param publisher gets every new set of backends, on the registry's thread
   */
  public BackendRegistry(
      InetSocketAddress listenAddress,
      int dataPort,
      Path rosterFile,
      RegistrySettings settings,
      TablePublisher publisher) {
    this(
        listenAddress,
        dataPort,
        rosterFile,
        settings,
        publisher,
        new UdpDataPath(dataPort),
        new EventLoop("caplance-registry", System::nanoTime),
        InstantSource.system(),
        Maglev.MAX_BACKENDS);
  }

  BackendRegistry(
      InetSocketAddress listenAddress,
      int dataPort,
      Path rosterFile,
      RegistrySettings settings,
      TablePublisher publisher,
      DataPath dataPath,
      EventLoop loop,
      InstantSource wallClock,
      int maxBackends) {
    this.listenAddress = listenAddress;
    this.dataPort = dataPort;
    this.settings = settings;
    this.publisher = publisher;
    this.dataPath = dataPath;
    this.loop = loop;
    this.wallClock = wallClock;
    this.maxBackends = maxBackends;
    this.roster = new Roster(rosterFile, loop, backends.values(), this::changed);
    this.unregisteredLog = new LimitedLog(LOG, loop::nanoTime, 20, Duration.ofSeconds(1));
  }

  /** Replaces the settings; registered backends stay registered. */
  public void apply(RegistrySettings newSettings) {
    loop.execute(() -> settings = newSettings);
  }

  /**
   * Starts to listen for sessions, and starts the thread. Called once.
   *
   * @param onFailure called if the registry's thread fails
   * @throws IOException if the address cannot be bound, with a message for the operator
   */
  public void start(Consumer<Throwable> onFailure) throws IOException {
    try {
      listener = TcpListener.open(loop, listenAddress, this::accept);
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on " + IpAddresses.format(listenAddress) + ": " + e.getMessage(), e);
    }
    loop.start(onFailure);
    LOG.info("backends can register at {}", IpAddresses.format(address()));
  }

  /**
   * The listening address, with the port that the kernel chose for 0. Only after {@link #start}.
   */
  public InetSocketAddress address() {
    return listener.address();
  }

  /**
   * Tells all backends that the load balancer is stopping, and ends all sessions and the thread.
   * Publishes nothing, because the data plane is its owner's to stop. Called once, even if {@link
   * #start} has failed.
   */
  public void stop() {
    loop.execute(this::shutDown);
    loop.close();
  }

  /**
   * Returns all registered backends, in byte order of their names. The future completes on the
   * registry's thread.
   *
   * @throws java.util.concurrent.RejectedExecutionException after {@link #stop}
   */
  public CompletableFuture<List<Entry>> entries() {
    return CompletableFuture.supplyAsync(
        () -> backends.values().stream().map(Backend::entry).toList(), loop);
  }

  /** Opens a session; the caller calls {@link BackendSession#readable} whenever there is input. */
  BackendSession open(Communicator communicator) {
    BackendSession session = new BackendSession(this, loop, communicator);
    unregistered.add(session);
    return session;
  }

  RegistrySettings settings() {
    return settings;
  }

  /** The rate-limited log for sessions that have not registered. */
  LimitedLog unregisteredLog() {
    return unregisteredLog;
  }

  Instant now() {
    return wallClock.instant();
  }

  int dataPort() {
    return dataPort;
  }

  /** Creates the prober of the path to a data address, if packets may and can be sent there. */
  PathProber newProber(InetAddress dataAddress) throws RefusedException {
    return new PathProber(
        loop, dataPath, dataAddress, settings.vips(), SanityDatagram.random(random));
  }

  /** Checks that a registration is possible at this moment. */
  void admit(Message.Register request) throws RefusedException {
    if (request.version() == Message.VERSION_2019 && !settings.legacyService()) {
      throw new RefusedException(
          "no service here is for 2019 backends, which register without version=; mark one with"
              + " legacy: true at the load balancer, or register with version=2");
    }
    Backend registered = backends.get(request.name());
    if (registered == null && backends.size() >= maxBackends) {
      throw new RefusedException("the limit of " + maxBackends + " registered backends is reached");
    }
    if (registered != null && !registered.dataAddress().equals(request.dataAddress())) {
      throw new RefusedException(
          "name in use: "
              + registered
              + " is registered; choose another name, or reconnect with the same data address");
    }
  }

  /**
   * Registers an admitted backend. If its name is registered already, this session takes over and
   * the previous one is closed.
   *
   * @param route the path to the backend
   */
  Backend register(BackendSession session, Message.Register request, DataPath.Route route) {
    unregistered.remove(session);
    Backend backend = backends.get(request.name());
    if (backend == null) {
      Target target =
          targetIndexes.allocate(
              request.name(), request.weight(), request.dataAddress(), route.mtu(), route.source());
      backend = new Backend(target, session, request, now());
      backends.put(request.name(), backend);
    } else {
      BackendSession superseded = backend.session();
      backend.attach(session, request, route);
      superseded.supersede();
    }
    changed();
    return backend;
  }

  /**
   * Forgets a session that has ended. Its backend is deregistered unless another session has taken
   * over.
   *
   * @param backend the one that the session spoke for, or null
   */
  void ended(BackendSession session, Backend backend) {
    unregistered.remove(session);
    if (backend != null && backend.session() == session) {
      backends.remove(backend.name(), backend);
      targetIndexes.release(backend.view().target());
      changed();
    }
  }

  /** Notes a change that may affect forwarding; it is published at the end of the turn. */
  void changed() {
    changed = true;
    queueEndOfTurn();
  }

  /** Notes a session whose replies are to be sent at the end of the turn. */
  void deliverAtEndOfTurn(BackendSession session) {
    toDeliver.add(session);
    queueEndOfTurn();
  }

  private void accept(SocketChannel channel) {
    try {
      TcpCommunicator communicator = TcpCommunicator.accepted(loop, channel);
      communicator.start(open(communicator)::readable);
    } catch (IOException e) {
      LOG.debug("a connection was closed before it was accepted", e);
    }
  }

  private void queueEndOfTurn() {
    if (!endOfTurnQueued) {
      endOfTurnQueued = true;
      // Two tasks, so that backends get their replies even if publishing fails.
      loop.execute(this::publish);
      loop.execute(this::deliver);
    }
  }

  private void publish() {
    if (!changed || stopping) {
      return;
    }
    changed = false;
    List<BackendView> retaining =
        backends.values().stream().map(Backend::view).filter(BackendView::retainsFlows).toList();
    roster.update();
    boolean complete = roster.isComplete();
    if (!inEffect || !forwardsLike(retaining, published) || complete != publishedComplete) {
      // If publishing fails, replies must not be held back.
      inEffect = true;
      inEffect = publisher.publish(retaining, complete);
      published = retaining;
      publishedComplete = complete;
      if (!inEffect) {
        loop.schedule(REPUBLISH_DELAY, this::changed);
      }
    }
  }

  private static boolean forwardsLike(List<BackendView> left, List<BackendView> right) {
    return left.size() == right.size()
        && IntStream.range(0, left.size()).allMatch(i -> left.get(i).forwardsLike(right.get(i)));
  }

  private void deliver() {
    endOfTurnQueued = false;
    if (!inEffect && !stopping) {
      return;
    }
    List<BackendSession> sessions = new ArrayList<>(toDeliver);
    toDeliver.clear();
    sessions.forEach(BackendSession::deliver);
  }

  private void shutDown() {
    stopping = true;
    roster.close();
    try {
      if (listener != null) {
        listener.close();
      }
    } catch (IOException e) {
      LOG.debug("cannot close the listener", e);
    }
    unregistered.all().forEach(session -> session.deregister(Level.INFO, STOPPING));
    List.copyOf(backends.values())
        .forEach(backend -> backend.session().deregister(Level.INFO, STOPPING));
  }

  /**
   * A registered backend, as status queries report it.
   *
   * @param silence time since its last line; not negative
   */
  public record Entry(BackendView backend, Duration silence) {}
}
