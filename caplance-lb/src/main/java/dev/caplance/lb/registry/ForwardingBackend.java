package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Endpoint;
import java.net.InetAddress;
import java.util.Set;

/**
 * A backend that packets may go to, at least those of flows that it has.
 *
 * @param legacy a backend of 2019: it gets packets of the service that is marked legacy and of no
 *     other
 * @param weight its share of new flows in proportion to others, 1 to 256
 * @param services names of those that it serves, whether they exist or not; empty: all
 * @param takesNewFlows whether it is active and fit; if not, it only keeps the flows that it has
 * @param draining whether it is being taken out of service, so that even in need it is the last to
 *     get new flows
 * @param endpoint the same object for as long as the backend is registered
 */
public record ForwardingBackend(
    String name,
    InetAddress dataAddress,
    boolean legacy,
    int weight,
    Set<String> services,
    boolean takesNewFlows,
    boolean draining,
    Endpoint endpoint) {

  public ForwardingBackend {
    services = Set.copyOf(services);
  }

  /**
   * Whether it serves a service.
   *
   * @param legacyService whether the service is the one for backends of 2019
   */
  public boolean serves(String service, boolean legacyService) {
    return legacy ? legacyService : services.isEmpty() || services.contains(service);
  }
}
