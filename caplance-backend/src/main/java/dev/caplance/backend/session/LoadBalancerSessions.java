package dev.caplance.backend.session;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.caplance.packet.AddressSet;
import dev.caplance.packet.IpAddresses;
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
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions of this backend, one with each load balancer, restored whenever they break, for as
 * long as the daemon runs. One intent holds for all of them and outlives them.
 *
 * <p>Any thread may call. What is asked for is done on the sessions' own thread, which also
 * completes the futures: what depends on them must not block.
 */
public final class LoadBalancerSessions implements Drainable {

  /** How long load balancers have to confirm that this backend leaves for good. */
  static final Duration FAREWELL = Duration.ofSeconds(3);

  private static final Logger log = LoggerFactory.getLogger(LoadBalancerSessions.class);

  private final SessionSettings settings;
  private final Consumer<AddressSet> onSources;
  private final EventLoop loop;
  private final List<Membership> memberships;
  private final CompletableFuture<Void> leftForGood = new CompletableFuture<>();
  private volatile boolean started;

  // Written by the loop's thread only.
  private volatile BackendIntent intent = BackendIntent.DEREGISTERED;

  // All that follows belongs to the loop's thread.
  private Message.Health health = new Message.Health(Message.Health.HEALTHY, "");
  private AddressSet sources = AddressSet.EMPTY;
  private CompletableFuture<CommandResult> underWay = CompletableFuture.completedFuture(null);
  private boolean stopping;
  private EventLoop.Timer timer;

  /**
   * Sessions that {@link #start} will begin.
   *
   * @param loadBalancers at least one, distinct
   * @param onSources told the addresses that encapsulated packets may come from whenever they
   *     change, from none at the start; called by the sessions' thread, to return at once
   * @throws IllegalArgumentException when a load balancer of 2019 is among them and this backend's
   *     data address is not IPv4
   */
  public LoadBalancerSessions(
      SessionSettings settings, List<LoadBalancer> loadBalancers, Consumer<AddressSet> onSources) {
    this(
        settings,
        loadBalancers,
        onSources,
        new EventLoop("sessions", System::nanoTime),
        InstantSource.system(),
        new SplittableRandom());
  }

  LoadBalancerSessions(
      SessionSettings settings,
      List<LoadBalancer> loadBalancers,
      Consumer<AddressSet> onSources,
      EventLoop loop,
      InstantSource wallClock,
      RandomGenerator random) {
    if (!IpAddresses.isIpv4(settings.dataAddress())
        && loadBalancers.stream().anyMatch(LoadBalancer::legacy)) {
      throw new IllegalArgumentException(
          "a load balancer of 2019 cannot send to "
              + IpAddresses.format(settings.dataAddress())
              + ": it has IPv4 only");
    }
    this.settings = settings;
    this.onSources = onSources;
    this.loop = loop;
    this.memberships =
        loadBalancers.stream()
            .map(
                loadBalancer ->
                    new Membership(
                        loadBalancer,
                        settings,
                        this::connect,
                        this::publishSources,
                        new Backoff(settings.reconnectInitial(), settings.reconnectMax(), random),
                        loop::nanoTime,
                        wallClock))
            .toList();
  }

  /**
   * Begins to register with every load balancer; to be called once.
   *
   * @param onFailure called if the sessions' thread fails
   */
  public void start(Consumer<Throwable> onFailure) {
    execute(() -> intend(BackendIntent.ACTIVE, new CompletableFuture<>()));
    started = true;
    loop.start(onFailure);
  }

  /**
   * Leaves every load balancer, waits a few seconds at most until they have confirmed it, and ends
   * the sessions' thread. Idempotent; not for the sessions' own thread.
   */
  public void stop() {
    try {
      execute(this::leaveForGood);
    } catch (RejectedExecutionException e) {
      return;
    }
    if (started) {
      leftForGood.completeOnTimeout(null, FAREWELL.toMillis(), TimeUnit.MILLISECONDS).join();
    }
    loop.close();
  }

  /** Stays registered, but gets no packets. For the result see {@link #resume}. */
  public CompletableFuture<CommandResult> pause() {
    return command(BackendIntent.PAUSED);
  }

  @Override
  public CompletableFuture<CommandResult> pauseDrained() {
    return command(
        BackendIntent.PAUSED,
        () -> intent == BackendIntent.DRAINING ? Optional.empty() : Optional.of(intent.word()));
  }

  @Override
  public CompletableFuture<CommandResult> drain() {
    return command(BackendIntent.DRAINING);
  }

  /**
   * Takes new flows again, and registers again after {@link #deregister}.
   *
   * @return complete when every load balancer has confirmed or refused it, cannot be told now, or
   *     has not answered in ten seconds; the intent holds whatever they said, and is told at each
   *     registration. Fails with {@link CommandRefusedException} when it holds already, cannot
   *     follow the one that holds, or when another command is under way
   */
  public CompletableFuture<CommandResult> resume() {
    return command(BackendIntent.ACTIVE);
  }

  /**
   * Leaves every load balancer; only {@link #resume} can follow. For the result see there: a load
   * balancer that does not confirm is left all the same.
   */
  public CompletableFuture<CommandResult> deregister() {
    return command(BackendIntent.DEREGISTERED);
  }

  /**
   * Tells the load balancers a health, at once and from now on.
   *
   * @param code 100 to 999; 200 is fit, anything else is not
   * @param reason for people; may be empty
   * @throws IllegalArgumentException for other codes
   */
  public void health(int code, String reason) {
    Message.Health told = new Message.Health(code, reason);
    tell(
        () -> {
          health = told;
          memberships.forEach(membership -> membership.health(told));
        });
  }

  @Override
  public BackendIntent intent() {
    return intent;
  }

  /** How it stands with every load balancer; fails once stopped. */
  public CompletableFuture<SessionsStatus> status() {
    CompletableFuture<SessionsStatus> status = new CompletableFuture<>();
    executeFor(
        status,
        () ->
            status.complete(
                new SessionsStatus(
                    intent, health, memberships.stream().map(Membership::status).toList())));
    return status;
  }

  /**
   * A datagram has come that may be a sanity check; anything else is ignored.
   *
   * @param sender the address it came from
   * @param datagram its text
   */
  public void onSanity(InetAddress sender, String datagram) {
    SanityDatagram.parse(ByteBuffer.wrap(datagram.getBytes(US_ASCII)))
        .ifPresent(check -> tell(() -> answer(check.token(), sender)));
  }

  private void answer(String token, InetAddress sender) {
    boolean known = memberships.stream().anyMatch(m -> m.expectsSanityFrom(sender));
    memberships.stream()
        .filter(m -> !known || m.expectsSanityFrom(sender))
        .forEach(m -> m.sanity(token, sender));
  }

  private CompletableFuture<CommandResult> command(BackendIntent wanted) {
    return command(wanted, () -> intent.objectionTo(wanted));
  }

  private CompletableFuture<CommandResult> command(
      BackendIntent wanted, Supplier<Optional<String>> objectionOfIntent) {
    CompletableFuture<CommandResult> result = new CompletableFuture<>();
    executeFor(
        result,
        () -> {
          Optional<String> objection = objection(objectionOfIntent);
          if (objection.isPresent()) {
            result.completeExceptionally(new CommandRefusedException(objection.get()));
          } else {
            underWay = result;
            intend(wanted, result);
          }
        });
    return result;
  }

  private Optional<String> objection(Supplier<Optional<String>> ofIntent) {
    if (stopping) {
      return Optional.of(isStopping());
    } else if (!underWay.isDone()) {
      return Optional.of("another command is under way; try again when it is done");
    }
    return ofIntent.get().map(objection -> settings.name() + " is " + objection);
  }

  private void intend(BackendIntent wanted, CompletableFuture<CommandResult> result) {
    intent = wanted;
    log.info("{} is to be {}", settings.name(), wanted.word());
    Answers answers = new Answers(wanted, memberships.size(), result);
    for (int i = 0; i < memberships.size(); i++) {
      Membership membership = memberships.get(i);
      membership.intend(wanted, answers.of(i, membership.loadBalancer()));
    }
  }

  private void leaveForGood() {
    stopping = true;
    underWay.completeExceptionally(new CommandRefusedException(isStopping()));
    if (intent != BackendIntent.DEREGISTERED) {
      intend(BackendIntent.DEREGISTERED, new CompletableFuture<>());
    }
  }

  private String isStopping() {
    return settings.name() + " is stopping";
  }

  private Connector.Connection connect(InetSocketAddress address, Runnable listener)
      throws IOException {
    TcpCommunicator communicator = TcpCommunicator.connecting(loop, address);
    communicator.start(() -> settleAfter(listener));
    return new Connector.Connection(communicator, () -> communicator.localAddress() != null);
  }

  private void execute(Runnable work) {
    loop.execute(() -> settleAfter(work));
  }

  private void executeFor(CompletableFuture<?> result, Runnable work) {
    try {
      execute(work);
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(new CommandRefusedException(isStopping()));
    }
  }

  private void tell(Runnable news) {
    try {
      execute(news);
    } catch (RejectedExecutionException e) {
      // Stopped: nobody is left whom it could concern.
    }
  }

  /** Whatever happens, the timer is set for what is due next. */
  private void settleAfter(Runnable work) {
    try {
      work.run();
    } finally {
      setTimer();
      if (stopping && memberships.stream().allMatch(Membership::left)) {
        leftForGood.complete(null);
      }
    }
  }

  /** At once, so that packets are taken before a load balancer hears that they may be sent. */
  private void publishSources() {
    AddressSet now =
        AddressSet.of(
            memberships.stream().map(Membership::from).flatMap(Optional::stream).toList());
    if (!now.equals(sources)) {
      sources = now;
      onSources.accept(now);
    }
  }

  private void setTimer() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    long due = memberships.stream().mapToLong(Membership::untilDue).min().orElse(Long.MAX_VALUE);
    if (due != Long.MAX_VALUE) {
      timer =
          loop.schedule(
              Duration.ofNanos(Math.max(0, due)),
              () -> settleAfter(() -> memberships.forEach(Membership::tick)));
    }
  }
}
