package dev.caplance.lb.registry;

import static java.util.stream.Collectors.toUnmodifiableSet;

import dev.caplance.lb.forwarding.ServiceSpec;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What the configuration tells the registry and may change while it runs.
 *
 * @param registerTimeout from the TCP connection to REGISTERED
 * @param readTimeout of backends that do not say how often they send HEALTH
 * @param services all of them
 */
public record RegistrySettings(
    Duration registerTimeout, Duration readTimeout, List<ServiceSpec> services) {

  public RegistrySettings {
    services = List.copyOf(services);
  }

  /** No data address may be one of these. */
  Set<InetAddress> vips() {
    return services.stream().map(ServiceSpec::vip).collect(toUnmodifiableSet());
  }

  List<String> serviceNames() {
    return services.stream().map(ServiceSpec::name).toList();
  }

  /** Whether there is a service for backends of 2019. */
  boolean legacyService() {
    return services.stream().anyMatch(ServiceSpec::legacy);
  }
}
