package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

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
 * @param services how many of its services this backend serves; empty if it has not said
 * @param unknownServices names that this backend registered for and that no service there has
 * @param path what its path probes show; empty if it sends none
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
    Optional<Duration> untilNextAttempt,
    OptionalInt services,
    List<String> unknownServices,
    Optional<Path> path) {

  /**
   * The path of the load balancer's packets to this backend.
   *
   * @param interval between two probes
   * @param sinceLastProbe how long ago one arrived, or the registration proved the path
   * @param lost whether too many are missing
   */
  public record Path(Duration interval, Duration sinceLastProbe, boolean lost) {}

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
