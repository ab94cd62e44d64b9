package dev.caplance.lb.admin;

import dev.caplance.packet.Ports;
import java.net.InetAddress;

/**
 * One service at one moment.
 *
 * @param legacy whether backends of 2019 get its packets
 * @param backends that get new flows now
 * @param keeping backends that only keep the flows that they have
 */
public record ServiceStatus(
    String name,
    InetAddress vip,
    Ports ports,
    boolean legacy,
    State state,
    int backends,
    int keeping) {

  /** How a service stands. */
  public enum State {
    /** Some backend is active and fit. */
    BALANCING("balancing"),
    /** There are backends, but all are unfit or draining. */
    ALL_UNFIT("all unfit"),
    /** No backend may get packets. */
    NO_BACKEND("no backend");

    private final String label;

    State(String label) {
      this.label = label;
    }

    /** The words for it in front of operators. */
    public String label() {
      return label;
    }
  }
}
