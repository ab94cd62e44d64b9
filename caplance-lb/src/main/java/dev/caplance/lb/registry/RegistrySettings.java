package dev.caplance.lb.registry;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What the registry is told by the configuration.
 *
 * @param address where it listens for sessions
 * @param registerTimeout from the TCP connection to REGISTERED
 * @param readTimeout of backends that do not say how often they send HEALTH
 * @param vips of all services: no data address can be one of them
 * @param services names of all services
 * @param legacyService whether there is a service for backends of 2019
 * @param dataPort UDP port of all backends, 1 to 65535
 * @param workers how many will count at each endpoint
 * @param rosterFile where the names of the backends are kept for the next start
 */
public record RegistrySettings(
    InetSocketAddress address,
    Duration registerTimeout,
    Duration readTimeout,
    Set<InetAddress> vips,
    List<String> services,
    boolean legacyService,
    int dataPort,
    int workers,
    Path rosterFile) {

  public RegistrySettings {
    vips = Set.copyOf(vips);
    services = List.copyOf(services);
  }
}
