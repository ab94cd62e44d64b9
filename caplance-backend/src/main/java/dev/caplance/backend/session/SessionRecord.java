package dev.caplance.backend.session;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happened in the sessions with one load balancer, for the status; logs it, too, and the same
 * trouble once. One thread owns it.
 */
final class SessionRecord implements SessionNews {

  /** Distinct reasons that are logged between two registrations. */
  private static final int MAX_REPORTED = 16;

  private static final Logger LOG = LoggerFactory.getLogger(SessionRecord.class);

  private final LoadBalancerAddress loadBalancer;
  private final LongSupplier nanoClock;
  private final Set<String> reported = new HashSet<>();
  private Long lastAck;
  private Intent operatorIntent;
  private OptionalInt services = OptionalInt.empty();
  private List<String> unknownServices = List.of();
  private String lastError;

  SessionRecord(LoadBalancerAddress loadBalancer, LongSupplier nanoClock) {
    this.loadBalancer = loadBalancer;
    this.nanoClock = nanoClock;
  }

  /** For {@link SessionStatus}, where these are described. */
  Optional<Duration> sinceLastAck() {
    return Optional.ofNullable(lastAck).map(ack -> Duration.ofNanos(nanoClock.getAsLong() - ack));
  }

  Optional<Intent> operatorIntent() {
    return Optional.ofNullable(operatorIntent);
  }

  Optional<String> lastError() {
    return Optional.ofNullable(lastError);
  }

  OptionalInt services() {
    return services;
  }

  List<String> unknownServices() {
    return unknownServices;
  }

  /** The load balancer has registered this backend under a name. */
  void registered(String name, InetAddress from, boolean legacy) {
    lastError = null;
    reported.clear();
    LOG.info("{}: registered as {}, packets from {}", loadBalancer, name, IpAddresses.format(from));
    if (legacy && !loadBalancer.legacy()) {
      LOG.warn("{}: speaks the 2019 protocol; set protocol: 2019 for it", loadBalancer);
    }
  }

  /** A registered session has ended, which nobody wanted. */
  void lost(String reason, Duration pause) {
    ended(reason);
    LOG.warn("{}: lost: {}; next attempt in {} ms", loadBalancer, reason, pause.toMillis());
  }

  /** A registration has failed. */
  void failed(String reason) {
    ended(reason);
    if (isNews(reason)) {
      LOG.warn("{}: cannot register: {}; trying again until it works", loadBalancer, reason);
    } else {
      LOG.debug("{}: cannot register: {}", loadBalancer, reason);
    }
  }

  /** There is no session, and none is wanted. */
  void left(String reason) {
    ended(null);
    LOG.info("{}: left: {}", loadBalancer, reason);
  }

  private void ended(String error) {
    operatorIntent = null;
    services = OptionalInt.empty();
    unknownServices = List.of();
    lastError = error;
  }

  @Override
  public void acknowledged() {
    lastAck = nanoClock.getAsLong();
  }

  @Override
  public void operatorSaid(Intent said) {
    operatorIntent = said;
    LOG.info("{}: its operator has set this backend to {}", loadBalancer, said.word());
  }

  @Override
  public void serving(int count, List<String> unknown) {
    services = OptionalInt.of(count);
    unknownServices = unknown;
    if (!unknown.isEmpty()) {
      troubled("it has no service named " + String.join(", ", unknown));
    }
    if (count == 0) {
      troubled(
          "none of its services is for this backend, so no packets will come from there: compare"
              + " vips and services here with the services there");
    }
  }

  @Override
  public void pathLost(Duration silence) {
    lastError = "data path: its packets do not arrive, no path probe for " + seconds(silence);
    LOG.warn("{}: {}; reported as unhealthy there until one arrives", loadBalancer, lastError);
  }

  @Override
  public void pathRestored() {
    lastError = null;
    LOG.info("{}: data path: its packets arrive again", loadBalancer);
  }

  @Override
  public void pausedWhileUnhealthy(boolean paused) {
    if (paused) {
      lastError = "paused there while unhealthy: it speaks the 2019 protocol, which has no health";
      LOG.warn("{}: {}", loadBalancer, lastError);
    } else {
      lastError = null;
      LOG.info("{}: healthy again, no longer paused there", loadBalancer);
    }
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
  }

  @Override
  public void troubled(String problem) {
    lastError = problem;
    if (isNews(problem)) {
      LOG.warn("{}: {}", loadBalancer, problem);
    }
  }

  private boolean isNews(String problem) {
    return reported.size() < MAX_REPORTED && reported.add(problem);
  }
}
