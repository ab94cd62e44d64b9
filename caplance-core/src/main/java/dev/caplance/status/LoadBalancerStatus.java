package dev.caplance.status;

import static dev.caplance.status.StatusJson.known;

import com.google.gson.annotations.SerializedName;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A load balancer at one moment: the result of its method {@code status}.
 *
 * @param version of the program
 * @param services in the order of the configuration
 * @param backends all that are registered, in byte order of their names
 * @param otherTraffic packets of no service that were dropped, by VIP; VIPs whose other traffic the
 *     host gets are not listed
 * @param workers one for each NFQUEUE
 * @param troubles what the load balancer cannot do on its machine at the moment, and why, a
 *     sentence each; empty if all is well
 */
public record LoadBalancerStatus(
    String version,
    Instant startedAt,
    List<Service> services,
    List<Backend> backends,
    Packets packets,
    List<OtherTraffic> otherTraffic,
    List<Worker> workers,
    List<String> troubles) {

  /** Reads what is missing as empty. */
  public LoadBalancerStatus {
    services = known(services);
    backends = known(backends);
    packets = packets == null ? new Packets(null, null, null, null, null) : packets;
    otherTraffic = known(otherTraffic);
    workers = known(workers);
    troubles = known(troubles);
  }

  /**
   * One service.
   *
   * @param ports for example {@code tcp/80, udp/443}
   * @param legacy whether it is the one that backends of the 2019 protocol serve
   * @param backends how many get new flows
   * @param keeping how many get no new flows but keep those they have
   */
  public record Service(
      String name,
      String vip,
      String ports,
      Boolean legacy,
      ServiceState state,
      Integer backends,
      Integer keeping) {}

  /** Which backends of a service get new flows. */
  public enum ServiceState {
    /** Those that are active and healthy. */
    @SerializedName("balancing")
    BALANCING,
    /**
     * There is none that is active and healthy, so those that were when their sessions ended do.
     */
    @SerializedName("returning")
    RETURNING,
    /**
     * There is none that is active and healthy; the configuration says which do instead, if any.
     */
    @SerializedName("all unfit")
    ALL_UNHEALTHY,
    /** There is none. */
    @SerializedName("no backend")
    NO_BACKEND
  }

  /**
   * One registered backend.
   *
   * @param address its data address
   * @param version of the session protocol that it speaks: 2 or more, or 2019
   * @param intent what it asked for itself
   * @param takesNewFlows whether it is active and healthy and has a session
   * @param lastResort whether it gets new flows all the same, because no backend of the service
   *     takes them
   * @param returning whether its session has ended without a word: it keeps its flows for a while
   * @param checked false if it is healthy because it checks nothing
   * @param weight its share of new flows in proportion to others, 1 to 256
   * @param services names of those that it serves; empty: all, or none if {@code servesNothing}
   * @param servesNothing whether it serves none, so that it gets no packets
   * @param path what is known of the network between
   * @param mtu bytes of the largest encapsulated packet that reaches it
   * @param session the address and port of the other end of its session
   * @param lastWordAgeMillis how long ago it was last heard
   * @param registeredAt the time since which it has been registered, through all reconnections
   * @param packets sent to it since then
   * @param bytes of these packets, without the encapsulation
   */
  public record Backend(
      String name,
      String address,
      Integer version,
      ReportedIntent intent,
      Health health,
      Boolean takesNewFlows,
      Boolean lastResort,
      Boolean returning,
      Boolean checked,
      Integer weight,
      List<String> services,
      Boolean servesNothing,
      Path path,
      Integer mtu,
      String session,
      Long lastWordAgeMillis,
      Instant registeredAt,
      Long packets,
      Long bytes) {

    /** Reads what is missing as empty. */
    public Backend {
      health = health == null ? new Health(null, null, null) : health;
      services = known(services);
      path = path == null ? new Path(null, null) : path;
    }
  }

  /**
   * The path to a backend.
   *
   * @param provenAgeMillis how long ago a packet last reached the backend, as far as is known; null
   *     if the path is not probed
   */
  public record Path(PathState state, Long provenAgeMillis) {}

  /** What the probes of a path have shown. */
  public enum PathState {
    /** The backend answers none, so the path was proven when it registered and never again. */
    @SerializedName("not probed")
    UNPROBED,
    /** Nothing yet. */
    @SerializedName("unproven")
    UNPROVEN,
    /** Packets reach the backend. */
    @SerializedName("proven")
    PROVEN,
    /** They do not. */
    @SerializedName("lost")
    LOST
  }

  /**
   * What a backend last reported of its application.
   *
   * @param code as of HTTP: 200 when it is healthy, 0 when it has not reported yet
   * @param reason may be empty
   */
  public record Health(HealthState state, Integer code, String reason) {}

  /**
   * Packets of all workers.
   *
   * @param received by the workers
   * @param bytes of the forwarded packets, without the encapsulation
   * @param dropped counts by reason, without those that are zero; also packets that no worker
   *     received, because the kernel had no room for them
   * @param leftToHost packets that were received and given back to the machine
   */
  public record Packets(
      Long received, Long forwarded, Long bytes, Map<String, Long> dropped, Long leftToHost) {

    /** Reads what is missing as empty. */
    public Packets {
      dropped = known(dropped);
    }
  }

  /** Packets for a VIP that belong to no service. */
  public record OtherTraffic(String vip, Long dropped) {}

  /**
   * One worker.
   *
   * @param queue the number of its NFQUEUE
   * @param packets it received
   * @param batches in which it received them
   * @param verdicts messages in which it told the kernel its verdicts
   * @param flows in its flow table that have had packets within their timeouts
   * @param flowsNotKept how often a packet's flow found no room in the flow table
   * @param allocatedBytes by its thread on the heap
   * @param queueDropped packets that the kernel dropped because the queues were full
   * @param unreadDropped packets that the kernel dropped because the queues' socket was full
   * @param receiveErrors system calls that failed to receive
   * @param verdictErrors verdicts that could not be sent or that the kernel refused
   */
  public record Worker(
      Integer queue,
      Long packets,
      Long batches,
      Long verdicts,
      Integer flows,
      Long flowsNotKept,
      Long allocatedBytes,
      Long queueDropped,
      Long unreadDropped,
      Long receiveErrors,
      Long verdictErrors) {}
}
