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
 * The backends that have registered, and the sessions over which they do. It owns an {@link
 * EventLoop}, on whose thread everything happens but {@link #start}, {@link #stop}, {@link #apply},
 * {@link #entries} and {@link #address}, which any thread may call. Each time that the set of
 * backends that packets may go to changes, it tells a {@link TablePublisher}.
 *
 * <p>At the end of a turn in which something happened it first publishes and then delivers what the
 * sessions have to say, so that what a backend is told is true already.
 */
public final class BackendRegistry {

  private static final Logger LOG = LoggerFactory.getLogger(BackendRegistry.class);
  private static final int MAX_UNREGISTERED = 1024;
  private static final String STOPPING = "load balancer is stopping";

  private static final Duration REPUBLISH = Duration.ofMillis(100);

  private final InetSocketAddress listenAddress;
  private final int dataPort;
  private final EventLoop loop;
  private final InstantSource wallClock;
  private final int maxBackends;
  private final DataPath dataPath;
  private final TablePublisher publisher;
  private final Roster roster;
  private final SecureRandom random = new SecureRandom();
  private final LimitedLog strangersLog;
  private final Map<String, Backend> backends = new TreeMap<>();
  private final TargetIndexes targetIndexes = new TargetIndexes();
  private final UnregisteredSessions unregistered = new UnregisteredSessions(MAX_UNREGISTERED);
  private final Set<BackendSession> toDeliver = new LinkedHashSet<>();
  private RegistrySettings settings;
  private boolean endOfTurnQueued;
  private boolean changed;
  private boolean stands = true;
  private boolean stopping;
  private List<BackendView> published = List.of();
  private boolean publishedComplete = true;
  private TcpListener listener;

  /**
   * A registry that does nothing yet.
   *
   * @param listenAddress for sessions
   * @param dataPort UDP port of all backends, 1 to 65535
   * @param rosterFile where the names of the backends are kept for the next start
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
    this.strangersLog = new LimitedLog(LOG, loop::nanoTime, 20, Duration.ofSeconds(1));
  }

  /** From now on this is what the configuration wants; what is registered stays. */
  public void apply(RegistrySettings newSettings) {
    loop.execute(() -> settings = newSettings);
  }

  /**
   * Listens for sessions, and starts the thread. Once.
   *
   * @param onFailure called if the registry's thread fails
   * @throws IOException when the address cannot be bound, in words for the operator
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

  /** Where it listens, with the port that the kernel chose if the configured one is 0. */
  public InetSocketAddress address() {
    return listener.address();
  }

  /**
   * Tells all backends that the load balancer is stopping, ends all sessions and the thread.
   * Nothing is published: the data plane is for its owner to stop. Once; also when it could not be
   * started.
   */
  public void stop() {
    loop.execute(this::sayFarewell);
    loop.close();
  }

  /**
   * All registered backends, in byte order of their names.
   *
   * @throws java.util.concurrent.RejectedExecutionException when it was stopped
   */
  public CompletableFuture<List<Entry>> entries() {
    return CompletableFuture.supplyAsync(
        () -> backends.values().stream().map(Backend::entry).toList(), loop);
  }

  /** Begins a session; its owner calls {@link BackendSession#readable}. */
  BackendSession open(Communicator communicator) {
    BackendSession session = new BackendSession(this, loop, communicator);
    unregistered.add(session);
    return session;
  }

  RegistrySettings settings() {
    return settings;
  }

  /** Where to log what those do who are not registered. */
  LimitedLog strangersLog() {
    return strangersLog;
  }

  Instant now() {
    return wallClock.instant();
  }

  int dataPort() {
    return dataPort;
  }

  PathProber newProber(InetAddress dataAddress) throws RefusedException {
    return new PathProber(
        loop, dataPath, dataAddress, settings.vips(), SanityDatagram.random(random));
  }

  /** Refuses a registration that cannot be, as things stand now. */
  void admit(Message.Register wish) throws RefusedException {
    if (wish.version() == Message.VERSION_2019 && !settings.legacyService()) {
      throw new RefusedException(
          "no service here is for backends of 2019, which name no version; mark one with legacy:"
              + " true at the load balancer, or register with version=2");
    }
    Backend holder = backends.get(wish.name());
    if (holder == null && backends.size() >= maxBackends) {
      throw new RefusedException(
          maxBackends + " backends are registered, which is all that there can be");
    }
    if (holder != null && !holder.dataAddress().equals(wish.dataAddress())) {
      throw new RefusedException(
          "name in use: "
              + holder
              + " is registered; take another name, or the same data address to reconnect");
    }
  }

  /**
   * Registers what was admitted; a session that had the name loses it.
   *
   * @param mtu bytes of the largest outer packet on the way there
   */
  Backend register(BackendSession session, Message.Register wish, int mtu) {
    unregistered.remove(session);
    Backend backend = backends.get(wish.name());
    if (backend == null) {
      Target target = targetIndexes.allocate(wish.name(), wish.weight(), wish.dataAddress(), mtu);
      backend = new Backend(target, session, wish, now());
      backends.put(wish.name(), backend);
    } else {
      BackendSession superseded = backend.session();
      backend.attach(session, wish, mtu);
      superseded.supersede();
    }
    changed();
    return backend;
  }

  /**
   * A session has ended.
   *
   * @param backend that it spoke for, or null; gone with it unless another session speaks for it
   *     now
   */
  void ended(BackendSession session, Backend backend) {
    unregistered.remove(session);
    if (backend != null && backend.session() == session) {
      backends.remove(backend.name(), backend);
      targetIndexes.release(backend.view().target());
      changed();
    }
  }

  /** Something changed that may decide whether packets go to a backend. */
  void changed() {
    changed = true;
    queueEndOfTurn();
  }

  /** A session has something to send. */
  void deliverAtEndOfTurn(BackendSession session) {
    toDeliver.add(session);
    queueEndOfTurn();
  }

  private void accept(SocketChannel channel) {
    try {
      TcpCommunicator communicator = TcpCommunicator.accepted(loop, channel);
      communicator.start(open(communicator)::readable);
    } catch (IOException e) {
      LOG.debug("a connection was gone before it was accepted", e);
    }
  }

  private void queueEndOfTurn() {
    if (!endOfTurnQueued) {
      endOfTurnQueued = true;
      // Two tasks: should publishing fail, backends are answered all the same.
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
    if (!stands || !forwardsLike(retaining, published) || complete != publishedComplete) {
      // Should publishing fail, backends are answered all the same.
      stands = true;
      stands = publisher.publish(retaining, complete);
      published = retaining;
      publishedComplete = complete;
      if (!stands) {
        loop.schedule(REPUBLISH, this::changed);
      }
    }
  }

  private static boolean forwardsLike(List<BackendView> some, List<BackendView> others) {
    return some.size() == others.size()
        && IntStream.range(0, some.size()).allMatch(i -> some.get(i).forwardsLike(others.get(i)));
  }

  private void deliver() {
    endOfTurnQueued = false;
    if (!stands && !stopping) {
      return;
    }
    List<BackendSession> speakers = new ArrayList<>(toDeliver);
    toDeliver.clear();
    speakers.forEach(BackendSession::deliver);
  }

  private void sayFarewell() {
    stopping = true;
    roster.close();
    try {
      if (listener != null) {
        listener.close();
      }
    } catch (IOException e) {
      LOG.debug("closing the listener failed", e);
    }
    unregistered.all().forEach(session -> session.deregister(Level.INFO, STOPPING));
    List.copyOf(backends.values())
        .forEach(backend -> backend.session().deregister(Level.INFO, STOPPING));
  }

  /**
   * A registered backend and how long ago its last line came, for people and programs that ask.
   *
   * @param silence not negative
   */
  public record Entry(BackendView backend, Duration silence) {}
}
