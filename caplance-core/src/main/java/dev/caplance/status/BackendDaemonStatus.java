package dev.caplance.status;

import static dev.caplance.status.StatusJson.known;

import com.google.gson.annotations.SerializedName;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A backend daemon at one moment: the result of its methods {@code status} and {@code health}.
 *
 * @param name by which the load balancers know it
 * @param address its data address
 * @param checks in the order of the configuration
 * @param drain the last one, also when it is over; null when there was none
 * @param services names of those that it serves; empty: all
 * @param weight its share of new flows in proportion to others, 1 to 256
 * @param mtu bytes of the largest encapsulated packet that reaches it, null when it does not know
 * @param version of the program
 * @param loadBalancers in the order of the configuration
 */
public record BackendDaemonStatus(
    String name,
    String address,
    ReportedIntent intent,
    Health health,
    List<Check> checks,
    Drain drain,
    List<String> vips,
    List<String> services,
    Integer weight,
    Integer mtu,
    String version,
    Instant startedAt,
    List<Session> loadBalancers,
    Packets packets) {

  /** Reads what is missing as empty. */
  public BackendDaemonStatus {
    health = health == null ? new Health(null, null) : health;
    checks = known(checks);
    vips = known(vips);
    services = known(services);
    loadBalancers = known(loadBalancers);
    packets = packets == null ? new Packets(null, null, null, null, null, null) : packets;
  }

  /**
   * What it reports to the load balancers.
   *
   * @param code as of HTTP: 200 when the application is healthy
   * @param reason may be empty
   */
  public record Health(Integer code, String reason) {

    private static final int OK = 200;

    /** What the code says; unknown when there is none. */
    public HealthState state() {
      if (code == null) {
        return HealthState.UNKNOWN;
      }
      return code == OK ? HealthState.HEALTHY : HealthState.UNHEALTHY;
    }
  }

  /**
   * One health check.
   *
   * @param type {@code tcp}, {@code http}, {@code https}, {@code udp} or {@code command}
   * @param target what is checked, for example {@code 10.0.0.50:80/health}
   * @param since when the state began
   * @param lastError why the last attempt failed, or the last one that did while unhealthy
   */
  public record Check(
      String type, String target, HealthState state, Instant since, String lastError) {}

  /**
   * A drain.
   *
   * @param connections of TCP that are left, null when they could not be counted
   * @param remainingMillis to the deadline, null when there is none or the drain is over
   * @param text a sentence for people
   * @param udpFlows of which packets came lately, null when they could not be counted
   */
  public record Drain(
      DrainState state, Integer connections, Long remainingMillis, String text, Integer udpFlows) {}

  /** How far a drain has come. */
  public enum DrainState {
    /** It is under way. */
    @SerializedName("draining")
    DRAINING,
    /** All connections ended, and the backend paused. */
    @SerializedName("drained")
    DRAINED,
    /** The deadline passed first, and the backend paused. */
    @SerializedName("deadline")
    DEADLINE,
    /** Another command ended it. */
    @SerializedName("cancelled")
    CANCELLED
  }

  /**
   * The session with one load balancer.
   *
   * @param address of the load balancer
   * @param protocol {@code 2} or {@code 2019}
   * @param since when the state began
   * @param lastAckAgeMillis how long ago the load balancer last acknowledged a HEALTH
   * @param from the address from which its encapsulated packets come
   * @param operatorIntent what its operator has made of this backend in this session
   * @param lastError what last went wrong
   * @param nextAttemptInMillis only while waiting
   * @param services how many of its services this backend serves, null if it has not said
   * @param unknownServices names that this backend registered for and that no service there has
   * @param path what its path probes show, null if it sends none
   */
  public record Session(
      String address,
      Integer port,
      String protocol,
      SessionState state,
      Instant since,
      Long lastAckAgeMillis,
      String from,
      ReportedIntent operatorIntent,
      String lastError,
      Long nextAttemptInMillis,
      Integer services,
      List<String> unknownServices,
      Path path) {

    /** Reads what is missing as empty. */
    public Session {
      unknownServices = known(unknownServices);
    }
  }

  /**
   * The path of a load balancer's packets to this backend.
   *
   * @param arrives false when too many path probes are missing
   * @param intervalMillis between two probes
   * @param lastProbeAgeMillis how long ago one arrived, or the registration proved the path
   */
  public record Path(Boolean arrives, Long intervalMillis, Long lastProbeAgeMillis) {}

  /** How far a session has come. */
  public enum SessionState {
    /** The TCP connection is being made. */
    @SerializedName("connecting")
    CONNECTING,
    /** The load balancer probes the data path. */
    @SerializedName("registering")
    REGISTERING,
    /** The load balancer has accepted this backend. */
    @SerializedName("registered")
    REGISTERED,
    /** The session was lost or refused; another attempt will be made. */
    @SerializedName("waiting")
    WAITING,
    /** There is none by the operator's wish. */
    @SerializedName("deregistered")
    DEREGISTERED
  }

  /**
   * Encapsulated packets from the load balancers.
   *
   * @param bytes of the delivered packets, without the encapsulation
   * @param refused counts by reason, without those that are zero
   * @param allocatedBytes by the data plane's thread on the heap
   * @param probes path probes that were delivered and answered
   */
  public record Packets(
      Long received,
      Long delivered,
      Map<String, Long> refused,
      Long bytes,
      Long allocatedBytes,
      Long probes) {

    /** Reads what is missing as empty. */
    public Packets {
      refused = known(refused);
    }
  }
}
