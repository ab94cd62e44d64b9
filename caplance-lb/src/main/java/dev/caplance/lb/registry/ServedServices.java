package dev.caplance.lb.registry;

import static java.util.stream.Collectors.toUnmodifiableSet;

import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The services of this load balancer that a backend serves. Immutable.
 *
 * @param all whether it serves all of them
 * @param names the names of those that it serves; empty if it serves all
 */
public record ServedServices(boolean all, Set<String> names) {

  /** All services. */
  public static final ServedServices ALL = new ServedServices(true, Set.of());

  public ServedServices {
    names = Set.copyOf(names);
  }

  /**
   * What a registration and the VIPs of a backend amount to. Names and VIPs that no service has are
   * not kept, so a backend cannot make the load balancer hold what it invents.
   *
   * @param vips that the backend has; empty: it has not said, which stands for all
   * @param existing the services of the load balancer
   */
  static ServedServices of(
      Message.Register register, Optional<Set<InetAddress>> vips, List<ServiceSpec> existing) {
    boolean legacy = register.version() == Message.VERSION_2019;
    Set<String> named = register.services();
    Set<String> served =
        existing.stream()
            .filter(service -> !legacy || service.legacy())
            .filter(service -> legacy || named.isEmpty() || named.contains(service.name()))
            .filter(service -> vips.isEmpty() || vips.get().contains(service.vip()))
            .map(ServiceSpec::name)
            .collect(toUnmodifiableSet());
    return served.size() == existing.size() ? ALL : new ServedServices(false, served);
  }

  /** The names in a registration that no service has. */
  static List<String> unknown(Message.Register register, Collection<ServiceSpec> existing) {
    Set<String> names = existing.stream().map(ServiceSpec::name).collect(toUnmodifiableSet());
    return register.services().stream().filter(name -> !names.contains(name)).toList();
  }

  /** Whether it serves this service. */
  public boolean contains(ServiceSpec service) {
    return all || names.contains(service.name());
  }

  /** Whether it serves none, so that it never gets packets. */
  public boolean none() {
    return !all && names.isEmpty();
  }

  /** How many of these it serves. */
  int count(List<ServiceSpec> existing) {
    return all ? existing.size() : names.size();
  }
}
