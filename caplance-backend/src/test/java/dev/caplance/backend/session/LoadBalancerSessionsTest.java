package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caplance.backend.session.CommandResult.Answer;
import dev.caplance.backend.session.SessionStatus.State;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.EventLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With real connections to load balancers that follow a script; only the clock is the test's. */
@Timeout(120)
class LoadBalancerSessionsTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String REGISTER =
      "REGISTER web-1 127.0.0.11 version=2 health=5s intent=active";
  private static final InetAddress STRANGER = IpAddresses.parse("127.0.0.99");
  private static final SessionSettings SETTINGS =
      new SessionSettings(
          "web-1",
          IpAddresses.parse("127.0.0.11"),
          List.of(),
          1,
          OptionalInt.empty(),
          Duration.ofSeconds(5),
          Duration.ofSeconds(1),
          Duration.ofSeconds(30),
          List.of(),
          false);

  private final FakeClock clock = new FakeClock();
  private final List<AddressSet> published = new CopyOnWriteArrayList<>();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private ScriptedBalancer one;
  private ScriptedBalancer two;
  private LoadBalancerSessions sessions;

  @BeforeEach
  void listen() throws IOException {
    one = new ScriptedBalancer("127.0.0.2");
    two = new ScriptedBalancer("127.0.0.3");
  }

  @AfterEach
  void end() throws IOException {
    // Without the balancers nobody keeps the sessions from leaving.
    one.close();
    two.close();
    if (sessions != null) {
      sessions.stop();
    }
    assertThat(failures).isEmpty();
  }

  private final List<BackendIntent> remembered = new CopyOnWriteArrayList<>();

  private void start(LoadBalancerAddress... loadBalancers) {
    sessions =
        new LoadBalancerSessions(
            published::add,
            this::remember,
            new EventLoop("sessions-under-test", clock),
            clock,
            () -> 0);
    sessions.apply(SETTINGS, List.of(loadBalancers));
    sessions.start(BackendIntent.ACTIVE, failures::add);
  }

  private CompletableFuture<Void> remember(BackendIntent intent) {
    remembered.add(intent);
    return CompletableFuture.completedFuture(null);
  }

  private void startWithOne() {
    start(one.asPeer(false));
  }

  private LoadBalancerSessions.Status status() {
    return sessions.status().orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
  }

  private SessionStatus statusOf(int index) {
    return status().loadBalancers().get(index);
  }

  private void awaitState(int index, State state) {
    await().atMost(PATIENCE).until(() -> statusOf(index).state() == state);
  }

  private void accept(ScriptedBalancer balancer, String register) throws IOException {
    balancer.accept();
    balancer.expect(register);
  }

  private void register(ScriptedBalancer balancer) throws IOException {
    accept(balancer, REGISTER);
    prove(balancer);
  }

  private void prove(ScriptedBalancer balancer) throws IOException {
    sessions.onPathProbe(balancer.address(), "SANITY t");
    balancer.expect("SANE t");
    balancer.say("REGISTERED web-1 127.0.0.11 version=2 from=" + text(balancer));
    balancer.expect("HEALTH 200");
    balancer.say("HEALTHACK 200");
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                status().loadBalancers().stream()
                    .filter(s -> s.loadBalancer().address().equals(balancer.address()))
                    .anyMatch(s -> s.sinceLastAck().isPresent() && s.state() == State.REGISTERED));
  }

  private static String text(ScriptedBalancer balancer) {
    return IpAddresses.format(balancer.address());
  }

  private CommandResult join(CompletableFuture<CommandResult> result) {
    return result.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
  }

  private static void assertRefused(CompletableFuture<CommandResult> result, String reason) {
    ThrowingCallable get = () -> result.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThatThrownBy(get).cause().isInstanceOf(CommandRefusedException.class).hasMessage(reason);
  }

  private static AddressSet addresses(ScriptedBalancer... balancers) {
    return AddressSet.of(List.of(balancers).stream().map(ScriptedBalancer::address).toList());
  }

  // --- Registration and its restoration ---

  @Test
  void registersTellsItsHealthAndWherePacketsMayComeFrom() throws IOException {
    startWithOne();
    register(one);

    LoadBalancerSessions.Status status = status();
    assertThat(status.intent()).isEqualTo(BackendIntent.ACTIVE);
    assertThat(status.loadBalancers().get(0).state()).isEqualTo(State.REGISTERED);
    assertThat(status.loadBalancers().get(0).from()).contains(one.address());
    assertThat(published).containsExactly(addresses(one));

    sessions.health(503, "disk full");
    one.expect("HEALTH 503 disk full");
    clock.advance(Duration.ofSeconds(5));
    status();
    one.expect("HEALTH 503 disk full");
    assertThat(status().health().code()).isEqualTo(503);
  }

  @Test
  void comesBackByItselfWithItsIntentAndGoesOnUnwrappingMeanwhile() throws IOException {
    startWithOne();
    register(one);
    CompletableFuture<CommandResult> pause = sessions.pause();
    one.expect("PAUSE web-1");
    one.say("PAUSED web-1");
    join(pause);

    one.stop();
    awaitState(0, State.WAITING);
    clock.advance(Duration.ofSeconds(1));
    await()
        .atMost(PATIENCE)
        .until(() -> statusOf(0).lastError().equals(Optional.of("Connection refused")));
    one.startAgain();
    clock.advance(Duration.ofSeconds(30));
    status();
    accept(one, REGISTER.replace("active", "paused"));
    prove(one);

    assertThat(status().intent()).isEqualTo(BackendIntent.PAUSED);
    assertThat(published).as("never without its load balancer").containsExactly(addresses(one));
  }

  @Test
  void hangsUpOnALoadBalancerThatFallsSilent() throws IOException {
    startWithOne();
    register(one);
    clock.advance(Duration.ofSeconds(15));
    status();
    one.expectEnd();
    register(one);
  }

  @Test
  void hangsUpOnALoadBalancerThatAcceptsAndSaysNothing() throws IOException {
    startWithOne();
    accept(one, REGISTER);
    awaitState(0, State.REGISTERING);
    clock.advance(Registration.CONNECT_TIMEOUT);
    awaitState(0, State.REGISTERING);
    clock.advance(Registration.REGISTER_TIMEOUT.minus(Registration.CONNECT_TIMEOUT));
    status();
    one.expectEnd();
    awaitState(0, State.WAITING);
  }

  @Test
  void comesBackWhenTheLoadBalancerDeregistersIt() throws IOException {
    startWithOne();
    register(one);
    one.say("DEREGISTERED web-1 shutting down");
    one.expectEnd();
    awaitState(0, State.WAITING);
    assertThat(statusOf(0).lastError())
        .contains("deregistered by the load balancer: shutting down");
    clock.advance(Duration.ofSeconds(1));
    status();
    register(one);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\u0016\u0003\u0001", "HTTP/1.1 400 Bad Request\r\n", "\n", "x\tx\n"})
  void whatIsNoLoadBalancerIsTriedAgain(String bytes) throws IOException {
    startWithOne();
    accept(one, REGISTER);
    one.sayBytes(bytes);
    one.expectEnd();
    awaitState(0, State.WAITING);
    assertThat(statusOf(0).lastError()).isPresent();
    clock.advance(Duration.ofSeconds(1));
    status();
    register(one);
  }

  @Test
  void anOversizeLineEndsTheSession() throws IOException {
    startWithOne();
    register(one);
    one.sayBytes("x".repeat(513));
    one.expectEnd();
    awaitState(0, State.WAITING);
    assertThat(statusOf(0).lastError().orElseThrow()).contains("longer than 512 bytes");
  }

  // --- Path probes ---

  @Test
  void aPathProbeGoesToTheSessionOfItsSender() throws IOException {
    start(one.asPeer(false), two.asPeer(false));
    accept(one, REGISTER);
    accept(two, REGISTER);
    awaitState(0, State.REGISTERING);
    awaitState(1, State.REGISTERING);

    sessions.onPathProbe(two.address(), "SANITY for-two");
    sessions.onPathProbe(STRANGER, "SANITY for-all");
    sessions.onPathProbe(one.address(), "SANITY for-one");

    one.expect("SANE for-all", "SANE for-one");
    two.expect("SANE for-two", "SANE for-all");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "SANITY", "SANITY ", "SANITY a b", "SANITY \u00e9", "sanity t"})
  void whatIsNoPathProbeIsIgnored(String datagram) throws IOException {
    startWithOne();
    accept(one, REGISTER);
    awaitState(0, State.REGISTERING);
    sessions.onPathProbe(one.address(), datagram);
    prove(one);
  }

  @Test
  void aWrongTokenDoesNotStopTheRegistration() throws IOException {
    startWithOne();
    accept(one, REGISTER);
    awaitState(0, State.REGISTERING);
    sessions.onPathProbe(STRANGER, "SANITY wrong");
    one.expect("SANE wrong");
    one.say("INVALID that token was not sent to you");
    prove(one);
  }

  // --- Commands ---

  @Test
  void aCommandWaitsForEveryLoadBalancer() throws IOException {
    start(one.asPeer(false), two.asPeer(false));
    register(one);
    register(two);
    assertThat(published).containsExactly(addresses(one), addresses(one, two));

    CompletableFuture<CommandResult> pause = sessions.pause();
    one.expect("PAUSE web-1");
    two.expect("PAUSE web-1");
    two.say("INVALID backend already paused");
    assertRefused(sessions.resume(), "another command is under way; try again when it is done");
    assertThat(pause).isNotDone();
    one.say("PAUSED web-1");

    assertThat(join(pause))
        .isEqualTo(
            new CommandResult(
                BackendIntent.PAUSED,
                List.of(
                    new Answer(one.asPeer(false), true, "PAUSED"),
                    new Answer(two.asPeer(false), false, "INVALID backend already paused"))));
    assertRefused(sessions.drain(), "web-1 is paused; resume it first");
    assertThat(remembered).containsExactly(BackendIntent.PAUSED);
  }

  @Test
  void whatKeepsTheMachineFromServingCountsWhateverTheApplicationDoes() throws IOException {
    startWithOne();
    register(one);
    sessions.unusable(Optional.of("the MTU is too small"));
    sessions.unusable(Optional.of("the MTU is too small"));
    one.expect("HEALTH 503 the MTU is too small");
    sessions.health(503, "disk full");
    sessions.health(200, "");
    assertThat(status().health().reason()).isEqualTo("the MTU is too small");
    sessions.unusable(Optional.empty());
    one.expect("HEALTH 200");
  }

  @Test
  void aCommandThatIsGivenTwiceSucceedsTwice() throws IOException {
    startWithOne();
    register(one);
    CompletableFuture<CommandResult> first = sessions.pause();
    CompletableFuture<CommandResult> second = sessions.pause();
    one.expect("PAUSE web-1");
    one.say("PAUSED web-1");
    assertThat(join(first).answers()).allMatch(Answer::confirmed);
    assertThat(join(second).answers()).allMatch(Answer::confirmed);
    assertThat(join(sessions.pause()).answers())
        .containsExactly(new Answer(one.asPeer(false), true, "was paused there already"));
    assertThat(remembered).containsOnly(BackendIntent.PAUSED);
  }

  /** What is said while the daemon stops would be undone at once, and is not said to succeed. */
  @Test
  void onceTheDaemonIsStoppingOnlyItsOwnDrainGoesOn() throws IOException {
    startWithOne();
    register(one);
    sessions.refuseCommands();
    CompletableFuture<CommandResult> drain = sessions.drainBeforeStop();
    one.expect("DRAIN web-1");
    one.say("DRAINING web-1");
    assertThat(join(drain).intent()).isEqualTo(BackendIntent.DRAINING);
    assertRefused(sessions.resume(), Memberships.STOPPING);
    assertRefused(sessions.drain(), Memberships.STOPPING);
    CompletableFuture<CommandResult> pause = sessions.pauseDrained();
    one.expect("PAUSE web-1");
    one.say("PAUSED web-1");
    join(pause);
    assertThat(remembered).as("of the stop").isEmpty();
  }

  @Test
  void beginsAsAnOperatorLeftItBeforeTheStart() throws IOException {
    sessions =
        new LoadBalancerSessions(
            published::add,
            this::remember,
            new EventLoop("sessions-under-test", clock),
            clock,
            () -> 0);
    sessions.apply(SETTINGS, List.of(one.asPeer(false)));
    sessions.start(BackendIntent.PAUSED, failures::add);
    accept(one, REGISTER.replace("active", "paused"));
    assertThat(sessions.intent()).isEqualTo(BackendIntent.PAUSED);
    assertThat(remembered).isEmpty();
  }

  @Test
  void aCommandEndsWhenASessionBreaksOrDoesNotAnswer() throws IOException {
    start(one.asPeer(false), two.asPeer(false));
    register(one);
    register(two);

    CompletableFuture<CommandResult> drain = sessions.drain();
    one.expect("DRAIN web-1");
    two.expect("DRAIN web-1");
    one.hangUp();
    awaitState(0, State.WAITING);
    clock.advance(Duration.ofSeconds(10));
    status();

    assertThat(join(drain))
        .isEqualTo(
            new CommandResult(
                BackendIntent.DRAINING,
                List.of(
                    new Answer(one.asPeer(false), false, "the peer closed the session"),
                    new Answer(
                        two.asPeer(false), false, "no answer within 10 s; it will still happen"))));
  }

  @Test
  void aCommandWithoutAnySessionHoldsForTheNextOne() throws IOException {
    one.stop();
    startWithOne();
    awaitState(0, State.WAITING);

    assertThat(join(sessions.pause()).answers())
        .containsExactly(
            new Answer(one.asPeer(false), false, "not connected; will be told when it is"));

    one.startAgain();
    clock.advance(Duration.ofSeconds(1));
    status();
    accept(one, REGISTER.replace("active", "paused"));
  }

  @Test
  void onlyADrainingBackendIsPausedWhenItsFlowsAreGone() throws IOException {
    startWithOne();
    register(one);
    assertRefused(sessions.pauseDrained(), "web-1 is active");

    CompletableFuture<CommandResult> drain = sessions.drain();
    one.expect("DRAIN web-1");
    one.say("DRAINING web-1");
    join(drain);
    assertThat(sessions.intent()).isEqualTo(BackendIntent.DRAINING);
    CompletableFuture<CommandResult> pause = sessions.pauseDrained();
    one.expect("PAUSE web-1");
    one.say("PAUSED web-1");
    assertThat(join(pause).intent()).isEqualTo(BackendIntent.PAUSED);

    assertRefused(sessions.pauseDrained(), "web-1 is paused");
  }

  @Test
  void leavesOnCommandAndStaysAwayUntilItIsResumed() throws IOException {
    startWithOne();
    register(one);

    CompletableFuture<CommandResult> deregister = sessions.deregister();
    one.expect("DEREGISTER web-1");
    one.say("DEREGISTERED web-1 the backend asked for it");
    one.expectEnd();
    assertThat(join(deregister).answers())
        .containsExactly(new Answer(one.asPeer(false), true, "DEREGISTERED"));
    await().atMost(PATIENCE).until(() -> published.size() == 2);
    assertThat(published).containsExactly(addresses(one), AddressSet.EMPTY);
    assertThat(status().intent()).isEqualTo(BackendIntent.DEREGISTERED);
    assertThat(statusOf(0).state()).isEqualTo(State.DEREGISTERED);
    assertThat(join(sessions.deregister()).answers())
        .containsExactly(new Answer(one.asPeer(false), true, "was left already"));
    assertRefused(sessions.pause(), "web-1 is deregistered; resume it first");

    CompletableFuture<CommandResult> resume = sessions.resume();
    register(one);
    assertThat(join(resume))
        .isEqualTo(
            new CommandResult(
                BackendIntent.ACTIVE, List.of(new Answer(one.asPeer(false), true, "REGISTERED"))));
  }

  @Test
  void showsWhatAnOperatorOfALoadBalancerDid() throws IOException {
    startWithOne();
    register(one);
    one.say("PAUSED web-1");
    await().atMost(PATIENCE).until(() -> statusOf(0).operatorIntent().isPresent());
    assertThat(statusOf(0).operatorIntent().orElseThrow().word()).isEqualTo("paused");
    assertThat(status().intent()).isEqualTo(BackendIntent.ACTIVE);
  }

  // --- Other load balancers or settings than before ---

  private static SessionSettings withWeight(int weight) {
    return new SessionSettings(
        SETTINGS.name(),
        SETTINGS.dataAddress(),
        SETTINGS.services(),
        weight,
        SETTINGS.mtu(),
        SETTINGS.healthInterval(),
        SETTINGS.reconnectInitial(),
        SETTINGS.reconnectMax(),
        List.of(),
        false);
  }

  @Test
  void aNewLoadBalancerIsRegisteredWithAndTheOthersAreLeftAlone() throws IOException {
    startWithOne();
    register(one);
    sessions.health(503, "disk full");
    one.expect("HEALTH 503 disk full");

    sessions.apply(SETTINGS, List.of(two.asPeer(false), one.asPeer(false)));
    accept(two, REGISTER);
    sessions.onPathProbe(two.address(), "SANITY t");
    two.expect("SANE t");
    two.say("REGISTERED web-1 127.0.0.11 version=2 from=127.0.0.3");
    two.expect("HEALTH 503 disk full");

    assertThat(status().loadBalancers())
        .extracting(SessionStatus::loadBalancer)
        .containsExactly(two.asPeer(false), one.asPeer(false));
    assertThat(statusOf(1).state()).isEqualTo(State.REGISTERED);
    assertThat(published).containsExactly(addresses(one), addresses(two, one));
    sessions.health(200, "");
    one.expect("HEALTH 200");
  }

  @Test
  void aLoadBalancerThatIsGoneIsLeftAndItsPacketsAreTakenUntilItConfirms() throws IOException {
    start(one.asPeer(false), two.asPeer(false));
    register(one);
    register(two);

    sessions.apply(SETTINGS, List.of(two.asPeer(false)));
    one.expect("DEREGISTER web-1");
    assertThat(status().loadBalancers())
        .extracting(SessionStatus::loadBalancer)
        .containsExactly(two.asPeer(false));
    assertThat(published).endsWith(addresses(one, two));
    one.say("DEREGISTERED web-1 the backend asked for it");
    one.expectEnd();
    await().atMost(PATIENCE).until(() -> published.size() == 3);
    assertThat(published).endsWith(addresses(two));

    CompletableFuture<CommandResult> pause = sessions.pause();
    two.expect("PAUSE web-1");
    two.say("PAUSED web-1");
    assertThat(join(pause).answers())
        .containsExactly(new Answer(two.asPeer(false), true, "PAUSED"));
  }

  @Test
  void aLoadBalancerThatIsGoneAndDoesNotAnswerIsLeftAfterAWhile() throws IOException {
    start(one.asPeer(false), two.asPeer(false));
    register(one);
    register(two);
    sessions.apply(SETTINGS, List.of(two.asPeer(false)));
    one.expect("DEREGISTER web-1");
    for (int i = 0; i < 2; i++) {
      two.say("HEALTHACK 200");
      await()
          .atMost(PATIENCE)
          .until(() -> statusOf(0).sinceLastAck().equals(Optional.of(Duration.ZERO)));
      clock.advance(Duration.ofSeconds(5));
      status();
    }
    one.expectEnd();
    await().atMost(PATIENCE).until(() -> published.size() == 3);
    assertThat(published).endsWith(addresses(two));
  }

  @Test
  void aCommandUnderWayEndsThoughItsLoadBalancerIsGone() throws IOException {
    start(one.asPeer(false), two.asPeer(false));
    register(one);
    register(two);
    CompletableFuture<CommandResult> pause = sessions.pause();
    one.expect("PAUSE web-1");
    two.expect("PAUSE web-1");
    two.say("PAUSED web-1");

    sessions.apply(SETTINGS, List.of(two.asPeer(false)));
    one.expect("DEREGISTER web-1");
    one.hangUp();

    assertThat(join(pause).answers())
        .containsExactly(
            new Answer(one.asPeer(false), false, "the peer closed the session"),
            new Answer(two.asPeer(false), true, "PAUSED"));
  }

  @Test
  void otherSettingsAreRegisteredAtOnce() throws IOException {
    startWithOne();
    register(one);

    sessions.apply(withWeight(3), List.of(one.asPeer(false)));

    one.expectEnd();
    accept(one, REGISTER + " weight=3");
    prove(one);
    assertThat(published).as("never without its load balancer").containsExactly(addresses(one));
  }

  @Test
  void theSameAgainChangesNothing() throws IOException {
    startWithOne();
    register(one);
    SessionStatus before = statusOf(0);
    sessions.apply(withWeight(1), List.of(one.asPeer(false)));
    assertThat(statusOf(0)).isEqualTo(before);
    sessions.health(503, "disk full");
    one.expect("HEALTH 503 disk full");
  }

  @Test
  void aNewLoadBalancerOfADeregisteredBackendWaitsUntilItIsResumed() throws IOException {
    startWithOne();
    register(one);
    CompletableFuture<CommandResult> deregister = sessions.deregister();
    one.expect("DEREGISTER web-1");
    one.say("DEREGISTERED web-1 the backend asked for it");
    join(deregister);

    sessions.apply(SETTINGS, List.of(two.asPeer(false)));
    assertThat(statusOf(0).state()).isEqualTo(State.DEREGISTERED);

    CompletableFuture<CommandResult> resume = sessions.resume();
    register(two);
    assertThat(join(resume).answers())
        .containsExactly(new Answer(two.asPeer(false), true, "REGISTERED"));
  }

  // --- The end ---

  @Test
  void deregistersEverywhereBeforeItStops() throws IOException {
    start(one.asPeer(false), two.asPeer(false));
    register(one);
    accept(two, REGISTER);

    CompletableFuture<Void> stopped = CompletableFuture.runAsync(sessions::stop);
    one.expect("DEREGISTER web-1");
    two.expectEnd();
    one.say("DEREGISTERED web-1 the backend asked for it");
    one.expectEnd();
    stopped.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();

    assertRefused(sessions.pause(), "the backend is stopping");
    assertThatThrownBy(this::status).hasRootCauseInstanceOf(CommandRefusedException.class);
    sessions.health(200, "");
    sessions.onPathProbe(one.address(), "SANITY t");
    sessions.stop();
  }

  @Test
  void stopsThoughALoadBalancerDoesNotAnswer() throws IOException {
    startWithOne();
    register(one);
    CompletableFuture<CommandResult> pause = sessions.pause();
    one.expect("PAUSE web-1");

    sessions.stop();

    assertRefused(pause, "the backend is stopping");
    one.expect("DEREGISTER web-1");
    one.expectEnd();
  }

  @Test
  void stopsAfterItHasDeregistered() throws IOException {
    startWithOne();
    register(one);
    CompletableFuture<CommandResult> deregister = sessions.deregister();
    one.expect("DEREGISTER web-1");
    one.say("DEREGISTERED web-1 the backend asked for it");
    join(deregister);
    sessions.stop();
    one.expectEnd();
  }

  @Test
  void mayBeStoppedWithoutBeingStarted() {
    sessions = new LoadBalancerSessions(published::add, this::remember);
    sessions.apply(SETTINGS, List.of(one.asPeer(false)));
    sessions.stop();
    assertRefused(sessions.resume(), "the backend is stopping");
  }

  @Test
  void theOwnerHearsWhenTheSessionsThreadFails() {
    RuntimeException bug = new IllegalStateException("no clock");
    EventLoop loop =
        new EventLoop(
            "sessions-under-test",
            () -> {
              throw bug;
            });
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    sessions = new LoadBalancerSessions(published::add, this::remember, loop, clock, () -> 0);
    sessions.apply(SETTINGS, List.of(one.asPeer(false)));
    sessions.start(BackendIntent.ACTIVE, failure::complete);
    assertThat(failure).succeedsWithin(PATIENCE).isSameAs(bug);
    assertRefused(sessions.pause(), "the backend is stopping");
  }

  // --- Load balancers of 2019 ---

  @Test
  void speaksWithALoadBalancerOf2019AsItNeedsIt() throws IOException {
    start(one.asPeer(true));
    accept(one, REGISTER);
    awaitState(0, State.REGISTERING);
    sessions.onPathProbe(STRANGER, "SANITY WRONGWRONGWRONGW");
    sessions.onPathProbe(one.address(), "SANITY ABCDEFGHIJKLMNOP");
    one.expect("SANE ABCDEFGHIJKLMNOP");
    one.sayBytes("REGISTERED web-1 127.0.0.11\n");
    one.expect("HEALTH 200");
    one.sayBytes("HEALTHACK 200\n");
    await().atMost(PATIENCE).until(() -> !published.isEmpty());
    assertThat(published).containsExactly(addresses(one));

    CompletableFuture<CommandResult> drain = sessions.drain();
    one.expect("PAUSE web-1");
    one.sayBytes("PAUSED web-1\n");
    assertThat(join(drain).answers())
        .containsExactly(
            new Answer(
                one.asPeer(true),
                true,
                "PAUSED: it speaks the 2019 protocol and cannot drain, so connections through it are"
                    + " broken"));

    assertThat(join(sessions.pause()).answers())
        .containsExactly(new Answer(one.asPeer(true), true, "was paused there already"));

    CompletableFuture<CommandResult> resume = sessions.resume();
    one.expect("RESUME web-1");
    one.sayBytes("RESUMED web-1\n");
    join(resume);

    CompletableFuture<CommandResult> pause = sessions.pause();
    one.expect("PAUSE web-1");
    one.sayBytes("PAUSED web-1\n");
    join(pause);

    CompletableFuture<CommandResult> deregister = sessions.deregister();
    one.expect("RESUME web-1", "DEREGISTER web-1");
    one.sayBytes("RESUMED web-1\nDEREGISTERED web-1 client requested deregistration\n");
    one.expectEnd();
    assertThat(join(deregister).answers())
        .containsExactly(new Answer(one.asPeer(true), true, "DEREGISTERED"));
  }

  @Test
  void aPausedBackendPausesAgainAtARestartedLoadBalancerOf2019() throws IOException {
    start(one.asPeer(true));
    accept(one, REGISTER);
    join(sessions.pause());
    awaitState(0, State.REGISTERING);
    one.hangUp();
    awaitState(0, State.WAITING);
    clock.advance(Duration.ofSeconds(1));
    status();
    accept(one, REGISTER.replace("active", "paused"));
    awaitState(0, State.REGISTERING);
    sessions.onPathProbe(one.address(), "SANITY ABCDEFGHIJKLMNOP");
    one.expect("SANE ABCDEFGHIJKLMNOP");
    one.sayBytes("REGISTERED web-1 127.0.0.11\n");
    one.expect("PAUSE web-1", "HEALTH 200");
  }

  @Test
  void haveIpv4Only() {
    InetAddress ipv6 = IpAddresses.parse("2001:db8::11");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LoadBalancerAddress(ipv6, 1338, true))
        .withMessage("2001:db8::11 cannot be a 2019 load balancer: the 2019 protocol is IPv4 only");
    SessionSettings settings =
        new SessionSettings(
            "web-1",
            ipv6,
            List.of(),
            1,
            OptionalInt.empty(),
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            Duration.ofSeconds(30),
            List.of(),
            false);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new LoadBalancerSessions(published::add, this::remember)
                    .apply(settings, List.of(one.asPeer(true))))
        .withMessage(
            "a 2019 load balancer cannot send to 2001:db8::11: the 2019 protocol is IPv4 only");
  }
}
