package dev.caplance.lb.registry;

import static java.util.stream.Collectors.toUnmodifiableSet;

import dev.caplance.lb.forwarding.ServiceSpec;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * The part of the configuration that the registry needs and that may change while it runs.
 *
 * @param registerTimeout the longest time from the TCP connection to REGISTERED
 * @param readTimeout silence after which a backend that announced no health interval is given up
 * @param probeInterval how often the path to a backend is probed, unless its health interval asks
 *     for more
 * @param maxBackends registered backends in all
 * @param maxBackendsPerAddress registered backends whose sessions come from one address
 * @param services all services, in the order of the configuration
 */
public record RegistrySettings(
    Duration registerTimeout,
    Duration readTimeout,
    Duration probeInterval,
    int maxBackends,
    int maxBackendsPerAddress,
    List<ServiceSpec> services) {

  public RegistrySettings {
    services = List.copyOf(services);
  }

  /** The VIPs of all services; none of them may be a data address. */
  Set<InetAddress> vips() {
    return services.stream().map(ServiceSpec::vip).collect(toUnmodifiableSet());
  }

  /** Whether a service is marked for 2019 backends. */
  boolean legacyService() {
    return services.stream().anyMatch(ServiceSpec::legacy);
  }
}
