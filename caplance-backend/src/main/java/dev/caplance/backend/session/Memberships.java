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

  private static final int UNHEALTHY = 503;

  private static final Logger LOG = LoggerFactory.getLogger(Memberships.class);

  private final Membership.Connector connector;
  private final Consumer<AddressSet> onSources;
  private final IntentMemory memory;
  private final LongSupplier nanoClock;
  private final InstantSource wallClock;
  private final RandomGenerator random;

  private volatile BackendIntent intent = BackendIntent.DEREGISTERED;

  private SessionSettings settings;
  private List<Membership> members = List.of();

  /** No longer wanted, but not left yet: their packets are still taken. */
  private List<Membership> leaving = List.of();

  private Message.Health application = new Message.Health(Message.Health.HEALTHY, "");
  private Optional<String> problem = Optional.empty();
  private Message.Health health = application;
  private AddressSet sources = AddressSet.EMPTY;
  private CompletableFuture<CommandResult> underWay = CompletableFuture.completedFuture(null);
  private boolean refusing;
  private boolean stopping;

  /**
   * No memberships yet.
   *
   * @param onSources told the addresses that encapsulated packets may come from whenever they
   *     change
   * @param memory told what operators want
   */
  Memberships(
      Membership.Connector connector,
      Consumer<AddressSet> onSources,
      IntentMemory memory,
      LongSupplier nanoClock,
      InstantSource wallClock,
      RandomGenerator random) {
    this.connector = connector;
    this.onSources = onSources;
    this.memory = memory;
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

  /** Registers everywhere, unless the backend is not meant to be registered. */
  void join(BackendIntent first) {
    intend(first, new CompletableFuture<>());
  }

  /** Refuses all further commands of operators: they would not last. */
  void refuseCommands() {
    refusing = true;
  }

  /** Leaves everywhere, and refuses all further commands. */
  void leaveForGood() {
    refusing = true;
    stopping = true;
    underWay.completeExceptionally(new CommandRefusedException(STOPPING));
    if (intent != BackendIntent.DEREGISTERED) {
      intend(BackendIntent.DEREGISTERED, new CompletableFuture<>());
    }
  }

  /** For the result see {@link LoadBalancerSessions#resume}. */
  CompletableFuture<CommandResult> command(BackendIntent wanted) {
    if (refusing) {
      return refused(STOPPING);
    }
    if (wanted == intent && !underWay.isDone()) {
      return underWay;
    }
    CompletableFuture<CommandResult> result = change(wanted, intent.objectionTo(wanted));
    return remembered(result, wanted);
  }

  /** For the result see {@link Drainable#drainBeforeStop}. */
  CompletableFuture<CommandResult> drainBeforeStop() {
    return change(BackendIntent.DRAINING, intent.objectionTo(BackendIntent.DRAINING));
  }

  /** For the result see {@link Drainable#pauseDrained}. */
  CompletableFuture<CommandResult> pauseDrained() {
    Optional<String> objection =
        intent == BackendIntent.DRAINING ? Optional.empty() : Optional.of(intent.word());
    CompletableFuture<CommandResult> result = change(BackendIntent.PAUSED, objection);
    return refusing ? result : remembered(result, BackendIntent.PAUSED);
  }

  /** Completed once the intent is remembered as well. */
  private CompletableFuture<CommandResult> remembered(
      CompletableFuture<CommandResult> result, BackendIntent wanted) {
    return result.isCompletedExceptionally()
        ? result
        : result.thenCombine(memory.remember(wanted), (outcome, nothing) -> outcome);
  }

  private CompletableFuture<CommandResult> change(
      BackendIntent wanted, Optional<String> objectionOfIntent) {
    if (stopping) {
      return refused(STOPPING);
    } else if (!underWay.isDone()) {
      return refused("another command is under way; try again when it is done");
    } else if (objectionOfIntent.isPresent()) {
      return refused(settings.name() + " is " + objectionOfIntent.get());
    }
    underWay = new CompletableFuture<>();
    CompletableFuture<CommandResult> result = underWay;
    intend(wanted, result);
    return result;
  }

  private static CompletableFuture<CommandResult> refused(String why) {
    return CompletableFuture.failedFuture(new CommandRefusedException(why));
  }

  private void intend(BackendIntent wanted, CompletableFuture<CommandResult> result) {
    if (wanted != intent) {
      LOG.info("the intent of {} is now: {}", settings.name(), wanted.word());
    }
    intent = wanted;
    List<Membership> asked = members;
    CommandResult.Collector replies = new CommandResult.Collector(wanted, asked.size(), result);
    for (int i = 0; i < asked.size(); i++) {
      asked.get(i).intend(wanted, replies.of(i, asked.get(i).loadBalancer()));
    }
  }

  BackendIntent intent() {
    return intent;
  }

  /** This is the health of the application; it is told at once and from now on. */
  void health(Message.Health newHealth) {
    application = newHealth;
    tellHealth();
  }

  /** This keeps the backend from serving, whatever its application does. */
  void unusable(Optional<String> newProblem) {
    if (!newProblem.equals(problem)) {
      problem = newProblem;
      tellHealth();
    }
  }

  private void tellHealth() {
    Message.Health now =
        problem.map(text -> new Message.Health(UNHEALTHY, text)).orElse(application);
    if (!now.equals(health)) {
      health = now;
      members.forEach(m -> m.health(now));
    }
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
