package dev.caplance.backend.session;

import dev.caplance.backend.session.Requests.Reply;
import dev.caplance.packet.AddressSet;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all {@link Membership}s have in common: the intent, the health, and the command under way.
 * Like a session it knows neither threads nor timers. One thread owns it; only {@link #intent} may
 * be called by any.
 */
final class Memberships {

  /** Why commands are refused at the end. */
  static final String STOPPING = "the backend is stopping";

  private static final Logger LOG = LoggerFactory.getLogger(Memberships.class);

  private final Membership.Connector connector;
  private final Consumer<AddressSet> onSources;
  private final LongSupplier nanoClock;
  private final InstantSource wallClock;
  private final RandomGenerator random;

  private volatile BackendIntent intent = BackendIntent.DEREGISTERED;

  private SessionSettings settings;
  private List<Membership> members = List.of();

  /** No longer wanted, but not left yet: their packets are still taken. */
  private List<Membership> leaving = List.of();

  private Message.Health health = new Message.Health(Message.Health.HEALTHY, "");
  private AddressSet sources = AddressSet.EMPTY;
  private CompletableFuture<CommandResult> underWay = CompletableFuture.completedFuture(null);
  private boolean stopping;

  /**
   * No memberships yet.
   *
   * @param onSources told the addresses that encapsulated packets may come from whenever they
   *     change
   */
  Memberships(
      Membership.Connector connector,
      Consumer<AddressSet> onSources,
      LongSupplier nanoClock,
      InstantSource wallClock,
      RandomGenerator random) {
    this.connector = connector;
    this.onSources = onSources;
    this.nanoClock = nanoClock;
    this.wallClock = wallClock;
    this.random = random;
  }

  /** Is a member at these load balancers and no others. */
  void apply(SessionSettings newSettings, List<LoadBalancerAddress> wanted) {
    if (stopping) {
      return;
    }
    settings = newSettings;
    List<Membership> before = members;
    members = wanted.stream().map(this::find).toList();
    List<Membership> unwanted = before.stream().filter(m -> !members.contains(m)).toList();
    leaving = Stream.concat(leaving.stream(), unwanted.stream()).toList();
    unwanted.forEach(m -> m.intend(BackendIntent.DEREGISTERED, Reply.NOBODY));
    members.forEach(m -> m.apply(newSettings));
    if (intent != BackendIntent.DEREGISTERED) {
      members.stream().filter(Membership::left).forEach(m -> m.intend(intent, Reply.NOBODY));
    }
    forgetLeft();
  }

  private Membership find(LoadBalancerAddress loadBalancer) {
    return members.stream()
        .filter(m -> m.loadBalancer().equals(loadBalancer))
        .findFirst()
        .orElseGet(() -> create(loadBalancer));
  }

  private Membership create(LoadBalancerAddress loadBalancer) {
    Membership membership =
        new Membership(
            loadBalancer, settings, connector, this::publishSources, random, nanoClock, wallClock);
    membership.health(health);
    return membership;
  }

  /** Registers everywhere. */
  void join() {
    intend(BackendIntent.ACTIVE, new CompletableFuture<>());
  }

  /** Leaves everywhere, and refuses all further commands. */
  void leaveForGood() {
    stopping = true;
    underWay.completeExceptionally(new CommandRefusedException(STOPPING));
    if (intent != BackendIntent.DEREGISTERED) {
      intend(BackendIntent.DEREGISTERED, new CompletableFuture<>());
    }
  }

  /** For the result see {@link LoadBalancerSessions#resume}. */
  CompletableFuture<CommandResult> command(BackendIntent wanted) {
    return command(wanted, intent.objectionTo(wanted));
  }

  /** For the result see {@link Drainable#pauseDrained}. */
  CompletableFuture<CommandResult> pauseDrained() {
    Optional<String> objection =
        intent == BackendIntent.DRAINING ? Optional.empty() : Optional.of(intent.word());
    return command(BackendIntent.PAUSED, objection);
  }

  private CompletableFuture<CommandResult> command(
      BackendIntent wanted, Optional<String> objectionOfIntent) {
    Optional<String> objection = Optional.empty();
    if (stopping) {
      objection = Optional.of(STOPPING);
    } else if (!underWay.isDone()) {
      objection = Optional.of("another command is under way; try again when it is done");
    } else if (objectionOfIntent.isPresent()) {
      objection = Optional.of(settings.name() + " is " + objectionOfIntent.get());
    }
    if (objection.isPresent()) {
      return CompletableFuture.failedFuture(new CommandRefusedException(objection.get()));
    }
    underWay = new CompletableFuture<>();
    CompletableFuture<CommandResult> result = underWay;
    intend(wanted, result);
    return result;
  }

  private void intend(BackendIntent wanted, CompletableFuture<CommandResult> result) {
    intent = wanted;
    LOG.info("the intent of {} is now: {}", settings.name(), wanted.word());
    List<Membership> asked = members;
    CommandResult.Collector replies = new CommandResult.Collector(wanted, asked.size(), result);
    for (int i = 0; i < asked.size(); i++) {
      asked.get(i).intend(wanted, replies.of(i, asked.get(i).loadBalancer()));
    }
  }

  BackendIntent intent() {
    return intent;
  }

  /** Tells this health, at once and from now on. */
  void health(Message.Health newHealth) {
    health = newHealth;
    members.forEach(m -> m.health(newHealth));
  }

  /**
   * A path probe has arrived. It is for the sessions that expect one from this sender; if there is
   * none, it may be for any, since a load balancer need not send from where it listens.
   */
  void pathProbe(String token, InetAddress sender) {
    boolean known = members.stream().anyMatch(m -> m.expectsPathProbeFrom(sender));
    members.stream()
        .filter(m -> !known || m.expectsPathProbeFrom(sender))
        .forEach(m -> m.pathProbe(token, sender));
  }

  /**
   * A path probe from this sender has been delivered and answered by UDP. It is answered on the
   * session, too, if it is clear on which.
   */
  void probed(String token, InetAddress sender) {
    List<Membership> possible = all().filter(m -> m.probesFrom(sender)).toList();
    possible.forEach(m -> m.probed(token, possible.size() == 1));
  }

  /** Does what is due. */
  void tick() {
    all().forEach(Membership::tick);
    forgetLeft();
  }

  /** Nanoseconds until {@link #tick} has something to do; {@code Long.MAX_VALUE} for never. */
  long untilDue() {
    return all().mapToLong(Membership::untilDue).min().orElse(Long.MAX_VALUE);
  }

  /** Whether nothing is left to do after {@link #leaveForGood}. */
  boolean leftForGood() {
    return stopping && all().allMatch(Membership::left);
  }

  LoadBalancerSessions.Status status() {
    return new LoadBalancerSessions.Status(
        intent, health, members.stream().map(Membership::status).toList());
  }

  private Stream<Membership> all() {
    return Stream.concat(members.stream(), leaving.stream());
  }

  private void forgetLeft() {
    leaving = leaving.stream().filter(m -> !m.left()).toList();
  }

  /** At once, so that packets are taken before a load balancer hears that they may be sent. */
  private void publishSources() {
    AddressSet now = AddressSet.of(all().map(Membership::from).flatMap(Optional::stream).toList());
    if (!now.equals(sources)) {
      sources = now;
      onSources.accept(now);
    }
  }
}
