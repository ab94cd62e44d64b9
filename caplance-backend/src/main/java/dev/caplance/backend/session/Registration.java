package dev.caplance.backend.session;

import dev.caplance.backend.session.Membership.Connector.PendingConnection;
import dev.caplance.backend.session.Requests.Reply;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Message;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The first phase of a {@link Session}: from REGISTER until the load balancer registers this
 * backend, refuses to, or takes too long. Meanwhile it answers the path probes that arrive on the
 * data port. One thread owns it.
 */
final class Registration {

  /** A load balancer that comes back while its host drops SYNs is found at the next attempt. */
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  /** Longer than the load balancer's own ten seconds, so that it can say what was missing. */
  static final Duration REGISTER_TIMEOUT = Duration.ofSeconds(15);

  /** Anyone can send tokens, but only those from the load balancer's address may use all slots. */
  static final int MAX_TOKENS = 32;

  static final int MAX_TOKENS_OF_OTHERS = 16;

  private final SessionSettings settings;
  private final PendingConnection connection;
  private final Requests requests;
  private final LongSupplier nanoClock;
  private final long begun;
  private final Set<String> tokens = new HashSet<>();
  private Optional<String> refusal = Optional.empty();

  /** A registration for which REGISTER is about to be sent. */
  Registration(
      SessionSettings settings,
      PendingConnection connection,
      Requests requests,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
    this.nanoClock = nanoClock;
    this.begun = nanoClock.getAsLong();
  }

  boolean connected() {
    return connection.established().getAsBoolean();
  }

  /**
   * A path probe has arrived; answered once for each token.
   *
   * @param fromPeer whether from the address that the load balancer is known to send from
   * @param legacy whether the load balancer is one of 2019
   */
  void pathProbe(String token, boolean fromPeer, boolean legacy) {
    // A load balancer of 2019 ends the registration if it gets a wrong token.
    boolean plausible = connected() && (fromPeer || !legacy);
    if (plausible
        && tokens.size() < (fromPeer ? MAX_TOKENS : MAX_TOKENS_OF_OTHERS)
        && tokens.add(token)) {
      requests.send(new Message.Sane(token), Reply.NOBODY);
    }
  }

  /**
   * The load balancer has said INVALID.
   *
   * @return whether that concerns only a token, so that the registration goes on
   */
  boolean refuse(String reason) {
    refusal = Optional.of("refused: " + reason);
    return requests.refuse(Message.Sane.class, refusal.get()).isPresent();
  }

  /** The last refusal, if there was one: it explains best why a registration fails later. */
  Optional<String> refusal() {
    return refusal;
  }

  /** The load balancer has registered a backend; says why it is not this one, if so. */
  Optional<String> objectionTo(Message.Registered answer) {
    boolean isThisOne =
        answer.name().equals(settings.name())
            && answer.dataAddress().equals(settings.dataAddress());
    return isThisOne
        ? Optional.empty()
        : Optional.of(
            "registered "
                + answer.name()
                + " "
                + IpAddresses.format(answer.dataAddress())
                + " instead of this backend");
  }

  /** This backend is registered. */
  void succeed() {
    requests.confirm(Message.Register.class, "REGISTERED");
    // Answers come in order: the first SANE without one had the right token.
    requests.confirm(Message.Sane.class, "REGISTERED");
  }

  /** Nanoseconds until this has taken too long; then {@link #timeoutReason} says of what. */
  long untilTimeout() {
    Duration timeout = connected() ? REGISTER_TIMEOUT : CONNECT_TIMEOUT;
    return begun + timeout.toNanos() - nanoClock.getAsLong();
  }

  String timeoutReason() {
    if (!connected()) {
      return "no connection within " + CONNECT_TIMEOUT.toSeconds() + " s";
    }
    return refusal.orElseGet(
        () -> {
          String address = IpAddresses.format(settings.dataAddress());
          return "no REGISTERED within "
              + REGISTER_TIMEOUT.toSeconds()
              + " s"
              + (tokens.isEmpty() ? ": no path probe arrived at " + address + " by UDP" : "");
        });
  }
}
