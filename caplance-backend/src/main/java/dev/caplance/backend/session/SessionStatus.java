package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The state of the session with one load balancer at one moment.
 *
 * @param loadBalancer as configured
 * @param legacy whether it speaks the 2019 protocol, by its configuration or its own words
 * @param since when the state began; connecting and registering count as one
 * @param sinceLastAck how long ago it last acknowledged HEALTH, in this session or an earlier one
 * @param from where its encapsulated packets come from; kept while a session is being restored
 * @param operatorIntent what its operator has made of this backend during this session
 * @param lastError the last problem; cleared by each registration
 * @param untilNextAttempt not negative; only while waiting
 */
public record SessionStatus(
    LoadBalancerAddress loadBalancer,
    boolean legacy,
    State state,
    Instant since,
    Optional<Duration> sinceLastAck,
    Optional<InetAddress> from,
    Optional<Intent> operatorIntent,
    Optional<String> lastError,
    Optional<Duration> untilNextAttempt) {

  /** How far a session has come. */
  public enum State {
    /** There is no TCP connection yet. */
    CONNECTING,
    /** REGISTER was sent; the load balancer is probing the data path. */
    REGISTERING,
    /** The load balancer has registered this backend. */
    REGISTERED,
    /** The session was lost or refused and will be tried again. */
    WAITING,
    /** There is no session, and none is wanted. */
    DEREGISTERED
  }
}
