package dev.caplance.backend.session;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.caplance.packet.AddressSet;
import dev.caplance.session.EventLoop;
import dev.caplance.session.Message;
import dev.caplance.session.SanityDatagram;
import dev.caplance.session.TcpCommunicator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/**
 * The sessions of this backend, one with each load balancer, restored whenever they break, for as
 * long as the daemon runs. One intent applies to all of them and outlives them.
 *
 * <p>Any thread may call. The work is done on the sessions' own thread, which also completes the
 * futures: what depends on them must not block.
 */
public final class LoadBalancerSessions implements Drainable {

  /** How long {@link #stop} waits for load balancers to confirm that this backend has left. */
  private static final Duration FAREWELL = Duration.ofSeconds(3);

  private final EventLoop loop;
  private final Memberships memberships;
  private final CompletableFuture<Void> leftForGood = new CompletableFuture<>();
  private volatile boolean started;
  private EventLoop.Timer timer;

  /**
   * The state of all sessions at one moment.
   *
   * @param intent what this backend wants to be
   * @param health what HEALTH says
   * @param loadBalancers in the order of the configuration
   */
  public record Status(
      BackendIntent intent, Message.Health health, List<SessionStatus> loadBalancers) {}

  /**
   * No sessions yet: {@link #apply} says with whom, and {@link #start} begins them.
   *
   * @param onSources told the addresses that encapsulated packets may come from whenever they
   *     change, from none at the start; called by the sessions' thread, must return at once
   * @param memory told what operators want, by the sessions' thread
   */
  public LoadBalancerSessions(Consumer<AddressSet> onSources, IntentMemory memory) {
    this(
        onSources,
        memory,
        new EventLoop("sessions", System::nanoTime),
        InstantSource.system(),
        new SplittableRandom());
  }

  LoadBalancerSessions(
      Consumer<AddressSet> onSources,
      IntentMemory memory,
      EventLoop loop,
      InstantSource wallClock,
      RandomGenerator random) {
    this.loop = loop;
    this.memberships =
        new Memberships(this::connect, onSources, memory, loop::nanoTime, wallClock, random);
  }

  /**
   * Has sessions with these load balancers and no others, from {@link #start} on. A new load
   * balancer is registered with, one that is gone from the list is left, and with the others the
   * sessions go on. Where the settings change what was registered, a session is begun anew.
   *
   * @param loadBalancers distinct
   * @throws IllegalArgumentException if a load balancer of 2019 is among them and this backend's
   *     data address is not IPv4
   */
  public void apply(SessionSettings settings, List<LoadBalancerAddress> loadBalancers) {
    loadBalancers.forEach(settings::requireReachableFrom);
    List<LoadBalancerAddress> wanted = List.copyOf(loadBalancers);
    tell(() -> memberships.apply(settings, wanted));
  }

  /**
   * Begins to register with every load balancer; to be called once, after {@link #apply}.
   *
   * @param intent what this backend wants to be at first; it is not remembered anew
   * @param onFailure called if the sessions' thread fails, which ends all sessions
   */
  public void start(BackendIntent intent, Consumer<Throwable> onFailure) {
    execute(() -> memberships.join(intent));
    started = true;
    loop.start(onFailure);
  }

  /**
   * Leaves every load balancer, waits a few seconds at most until they have confirmed that, and
   * ends the sessions' thread. Idempotent; not for the sessions' own thread.
   */
  public void stop() {
    try {
      execute(memberships::leaveForGood);
    } catch (RejectedExecutionException e) {
      return;
    }
    if (started) {
      leftForGood.completeOnTimeout(null, FAREWELL.toMillis(), TimeUnit.MILLISECONDS).join();
    }
    loop.close();
  }

  /** Refuses commands of operators from now on, because the daemon is about to {@link #stop}. */
  public void refuseCommands() {
    tell(memberships::refuseCommands);
  }

  /** Stays registered, but gets no packets. For the result see {@link #resume}. */
  public CompletableFuture<CommandResult> pause() {
    return ask(m -> m.command(BackendIntent.PAUSED));
  }

  @Override
  public CompletableFuture<CommandResult> pauseDrained() {
    return ask(Memberships::pauseDrained);
  }

  @Override
  public CompletableFuture<CommandResult> drain() {
    return ask(m -> m.command(BackendIntent.DRAINING));
  }

  @Override
  public CompletableFuture<CommandResult> drainBeforeStop() {
    return ask(Memberships::drainBeforeStop);
  }

  /**
   * Takes new flows again, and registers again after {@link #deregister}.
   *
   * @return completed when every load balancer has confirmed or refused the command, is not
   *     connected, or has not answered within ten seconds; the intent stands whatever they say, and
   *     is announced at each registration. A command that is given twice succeeds twice. Fails with
   *     {@link CommandRefusedException} if the intent cannot follow the one in force, another
   *     command is under way, or the daemon is stopping
   */
  public CompletableFuture<CommandResult> resume() {
    return ask(m -> m.command(BackendIntent.ACTIVE));
  }

  /**
   * Leaves every load balancer, those that do not confirm it included; only {@link #resume} can
   * follow. For the result see there.
   */
  public CompletableFuture<CommandResult> deregister() {
    return ask(m -> m.command(BackendIntent.DEREGISTERED));
  }

  /**
   * Tells the load balancers a health, at once and from now on.
   *
   * @param code 100 to 999; 200 is healthy, anything else is not
   * @param reason for people; may be empty
   * @throws IllegalArgumentException for other codes
   */
  public void health(int code, String reason) {
    Message.Health health = new Message.Health(code, reason);
    tell(() -> memberships.health(health));
  }

  /**
   * Reports this backend as unhealthy whatever its application is, because of something else that
   * keeps it from serving.
   *
   * @param problem what that is; empty if there is nothing
   */
  public void unusable(Optional<String> problem) {
    tell(() -> memberships.unusable(problem));
  }

  @Override
  public BackendIntent intent() {
    return memberships.intent();
  }

  /** The state of all sessions; fails once stopped. */
  public CompletableFuture<Status> status() {
    return ask(m -> CompletableFuture.completedFuture(m.status()));
  }

  /**
   * A datagram has arrived that may be a path probe; anything else is ignored.
   *
   * @param sender the address it came from
   * @param datagram its text
   */
  public void onPathProbe(InetAddress sender, String datagram) {
    SanityDatagram.parse(ByteBuffer.wrap(datagram.getBytes(US_ASCII)))
        .ifPresent(probe -> tell(() -> memberships.pathProbe(probe.token(), sender)));
  }

  /**
   * A path probe has been delivered on the data port and answered from there.
   *
   * @param sender the address it came from
   */
  public void onProbe(InetAddress sender, String token) {
    tell(() -> memberships.probed(token, sender));
  }

  private Membership.Connector.PendingConnection connect(
      InetSocketAddress address, Runnable onReadable) throws IOException {
    TcpCommunicator communicator = TcpCommunicator.connecting(loop, address);
    communicator.start(() -> settleAfter(onReadable));
    return new Membership.Connector.PendingConnection(
        communicator, () -> communicator.localAddress() != null);
  }

  /** Has the sessions' thread answer a question; fails if that thread has ended. */
  private <T> CompletableFuture<T> ask(Function<Memberships, CompletableFuture<T>> question) {
    CompletableFuture<CompletableFuture<T>> asked = new CompletableFuture<>();
    try {
      execute(() -> asked.complete(question.apply(memberships)));
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(new CommandRefusedException(Memberships.STOPPING));
    }
    return asked.thenCompose(answer -> answer);
  }

  private void tell(Runnable news) {
    try {
      execute(news);
    } catch (RejectedExecutionException e) {
      // Stopped: there are no sessions left that it could concern.
    }
  }

  private void execute(Runnable work) {
    loop.execute(() -> settleAfter(work));
  }

  /** Whatever happens, the timer is set for what is due next. */
  private void settleAfter(Runnable work) {
    try {
      work.run();
    } finally {
      setTimer();
      if (memberships.leftForGood()) {
        leftForGood.complete(null);
      }
    }
  }

  private void setTimer() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    long due = memberships.untilDue();
    if (due != Long.MAX_VALUE) {
      timer =
          loop.schedule(Duration.ofNanos(Math.max(0, due)), () -> settleAfter(memberships::tick));
    }
  }
}
