package dev.caplance.lb.admin;

import dev.caplance.lb.registry.ForwardingBackend;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.List;

/**
 * One service at one moment.
 *
 * @param legacy whether backends of 2019 get its packets
 * @param serving backends that may keep the flows that they have, in byte order of their names
 * @param members those among them that get new flows
 */
public record ServiceStatus(
    String name,
    InetAddress vip,
    Ports ports,
    boolean legacy,
    State state,
    List<ForwardingBackend> serving,
    List<ForwardingBackend> members) {

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
