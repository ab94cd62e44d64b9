package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * How it stands with one load balancer at one moment.
 *
 * @param loadBalancer as configured
 * @param legacy whether it speaks the protocol of 2019, by its configuration or its own words
 * @param since when the state began; connecting and registering count as one
 * @param sinceLastAck how long ago it last acknowledged HEALTH, in this session or an earlier one
 * @param from where its encapsulated packets come from; kept while a session is being restored
 * @param operatorIntent what its operator has made of this backend in this session
 * @param lastError what went wrong last since it was last registered, or since then
 * @param untilNextAttempt not negative; only while waiting
 */
public record SessionStatus(
    LoadBalancer loadBalancer,
    boolean legacy,
    State state,
    Instant since,
    Optional<Duration> sinceLastAck,
    Optional<InetAddress> from,
    Optional<Intent> operatorIntent,
    Optional<String> lastError,
    Optional<Duration> untilNextAttempt) {

  /** Where a session is on its way. */
  public enum State {
    /** There is no TCP connection yet. */
    CONNECTING,
    /** REGISTER was sent; the load balancer checks the data path. */
    REGISTERING,
    /** The load balancer counts on this backend. */
    REGISTERED,
    /** The session was lost or refused and will be tried again. */
    WAITING,
    /** There is none, and shall be none. */
    DEREGISTERED;

    /** The word for it in front of operators: {@code connecting} and so on. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
