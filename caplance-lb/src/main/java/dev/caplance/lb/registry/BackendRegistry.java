package dev.caplance.lb.registry;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Communicator;
import dev.caplance.session.EventLoop;
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
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The registered backends and their sessions. The registry owns an {@link EventLoop}, on whose
 * thread everything happens except {@link #start}, {@link #stop}, {@link #apply}, {@link
 * #ownAddresses}, {@link #probeAnswered}, {@link #entries} and {@link #address}, which any thread
 * may call. Whenever the set of backends that may get packets changes, the registry hands it to a
 * {@link TablePublisher}; see {@link Publication}.
 */
public final class BackendRegistry {

  private static final Logger LOG = LoggerFactory.getLogger(BackendRegistry.class);
  private static final int MAX_UNREGISTERED = 1024;
  private static final String STOPPING = "load balancer is stopping";

  private final InetSocketAddress listenAddress;
  private final int dataPort;
  private final EventLoop loop;
  private final DataPath dataPath;
  private final Roster roster;
  private final SecureRandom random = new SecureRandom();
  private final LimitedLog strangersLog;
  private final LimitedLog refusalsLog;
  private final PathProbes probes;
  private final Backends backends;
  private final Publication publication;
  private final ProvingSessions proving;
  private final UnregisteredSessions unregistered = new UnregisteredSessions(MAX_UNREGISTERED);
  private volatile RegistrySettings settings;
  private volatile boolean started;
  private volatile TcpListener listener;

  /**
   * Creates a registry without starting it. It needs settings, which {@link #apply} gives it.
   *
   * @param listenAddress for sessions; with port 0 the kernel chooses one
   * @param dataPort UDP port of all backends, 1 to 65535
   * @param rosterFile keeps the names of the backends for the next start
   * @param probeSender sends path probes
   * @param publisher gets every new set of backends, on the registry's thread
   */
  public BackendRegistry(
      InetSocketAddress listenAddress,
      int dataPort,
      Path rosterFile,
      ProbeSender probeSender,
      TablePublisher publisher) {
    this(
        listenAddress,
        dataPort,
        rosterFile,
        publisher,
        new UdpDataPath(dataPort, probeSender),
        new EventLoop("caplance-registry", System::nanoTime),
        InstantSource.system());
  }

  BackendRegistry(
      InetSocketAddress listenAddress,
      int dataPort,
      Path rosterFile,
      TablePublisher publisher,
      DataPath dataPath,
      EventLoop loop,
      InstantSource wallClock) {
    this.listenAddress = listenAddress;
    this.dataPort = dataPort;
    this.dataPath = dataPath;
    this.loop = loop;
    this.probes = new PathProbes(loop, random);
    this.backends =
        new Backends(loop, dataPath, probes, wallClock, () -> this.settings, this::changed);
    this.roster = new Roster(rosterFile, loop, backends.all(), this::changed);
    this.publication = new Publication(loop, publisher, backends.all(), roster);
    this.proving = new ProvingSessions(loop);
    this.strangersLog = new LimitedLog(LOG, loop::nanoTime, 20, Duration.ofSeconds(1));
    this.refusalsLog = new LimitedLog(LOG, loop::nanoTime, 20, Duration.ofSeconds(1));
  }

  /**
   * Replaces the settings; called before {@link #start} for the first time. Registered backends
   * stay registered, and keep the services that they had until they register again.
   */
  public void apply(RegistrySettings newSettings) {
    settings = newSettings;
  }

  /**
   * Says which addresses this machine has. The sessions of backends that take packets from another
   * one are ended, so that these backends register again at once.
   */
  public void ownAddresses(Set<InetAddress> addresses) {
    loop.execute(() -> backends.ownAddresses(addresses));
  }

  /**
   * Takes note of a reply to a path probe, which anybody can forge; a token that is not under way
   * costs a look-up. Never blocks.
   */
  public void probeAnswered(String token) {
    probes.answered(token);
  }

  /**
   * Listens for sessions unless it does already. Before {@link #start}, or after it by any thread
   * but the registry's.
   *
   * @throws IOException if the address cannot be bound, with a message for the operator
   */
  public void listen() throws IOException {
    if (listener != null) {
      return;
    }
    if (!started) {
      open();
      return;
    }
    CompletableFuture<Void> opened = new CompletableFuture<>();
    loop.execute(
        () -> {
          try {
            open();
            opened.complete(null);
          } catch (IOException e) {
            opened.completeExceptionally(e);
          }
        });
    try {
      opened.join();
    } catch (CompletionException e) {
      throw new IOException(e.getCause().getMessage(), e);
    }
  }

  private void open() throws IOException {
    try {
      listener = TcpListener.open(loop, listenAddress, this::accept);
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on " + IpAddresses.format(listenAddress) + ": " + e.getMessage(), e);
    }
    LOG.info("backends can register at {}", IpAddresses.format(address()));
  }

  /**
   * Starts the thread. Called once.
   *
   * @param onFailure called if the registry's thread fails
   */
  public void start(Consumer<Throwable> onFailure) {
    started = true;
    loop.start(onFailure);
  }

  /**
   * The listening address, with the port that the kernel chose for 0. Only after {@link #listen}.
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
        () -> backends.all().stream().map(Backend::entry).toList(), loop);
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

  Backends backends() {
    return backends;
  }

  /** The sessions that are between REGISTER and SANE. */
  ProvingSessions proving() {
    return proving;
  }

  /** The rate-limited log for sessions that never sent REGISTER. */
  LimitedLog strangersLog() {
    return strangersLog;
  }

  /** The rate-limited log for registrations that are refused. */
  LimitedLog refusalsLog() {
    return refusalsLog;
  }

  int dataPort() {
    return dataPort;
  }

  /**
   * Creates the prober of the path to the data address of a session that wants to register, if
   * packets may and can be sent there.
   */
  PathProber newProber(BackendSession session, InetAddress dataAddress) throws RefusedException {
    return new PathProber(
        loop,
        dataPath,
        dataAddress,
        settings.vips(),
        SanityDatagram.random(random),
        () -> proving.maySend(session, dataAddress));
  }

  /** Notes that a session has registered or has ended. */
  void noLongerUnregistered(BackendSession session) {
    unregistered.remove(session);
  }

  /** Notes a change that may affect forwarding; it is published at the end of the turn. */
  void changed() {
    publication.changed();
  }

  /** Notes a session whose replies are to be sent at the end of the turn. */
  void deliverAtEndOfTurn(BackendSession session) {
    publication.deliverAtEndOfTurn(session);
  }

  private void accept(SocketChannel channel) {
    try {
      TcpCommunicator communicator = TcpCommunicator.accepted(loop, channel);
      communicator.start(open(communicator)::readable);
    } catch (IOException e) {
      LOG.debug("a connection was closed before it was accepted", e);
    }
  }

  private void shutDown() {
    publication.stop();
    roster.close();
    try {
      if (listener != null) {
        listener.close();
      }
    } catch (IOException e) {
      LOG.debug("cannot close the listener", e);
    }
    unregistered.all().forEach(session -> session.end(Level.INFO, STOPPING));
    List.copyOf(backends.all()).forEach(backend -> backend.session().end(Level.INFO, STOPPING));
  }

  /**
   * A registered backend, as status queries report it.
   *
   * @param silence time since the last line of its session; not negative
   * @param pathAge time since a path probe was last answered; empty if its path is not probed
   */
  public record Entry(BackendView backend, Duration silence, Optional<Duration> pathAge) {}
}
