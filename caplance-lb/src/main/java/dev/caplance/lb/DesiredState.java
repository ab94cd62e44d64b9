package dev.caplance.lb;

import static java.util.stream.Collectors.toMap;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.registry.RegistrySettings;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the configuration asks of the running load balancer, in the form that each component
 * applies. Settings that only a restart can change (queues, ports, the hash key, directories) are
 * not here.
 *
 * @param services for the forwarding table and the netfilter rules, in the order of the file
 * @param flowTimeouts idle times after which flows are forgotten
 * @param registry how backends register
 * @param attachedVips the VIPs to attach to this host and their interfaces; an empty interface
 *     means the one whose network contains the VIP
 */
record DesiredState(
    List<ServiceSpec> services,
    Dataplane.FlowTimeouts flowTimeouts,
    RegistrySettings registry,
    Map<InetAddress, Optional<String>> attachedVips) {

  /** Derives the desired state from a configuration. */
  static DesiredState of(LbConfig config) {
    LbConfig.Flows flows = config.flows();
    return new DesiredState(
        config.services(),
        new Dataplane.FlowTimeouts(flows.tcpIdle(), flows.udpIdle(), flows.closingIdle()),
        new RegistrySettings(
            config.session().registerTimeout(),
            config.session().readTimeout(),
            config.session().probeInterval(),
            config.session().maxBackends(),
            config.session().maxBackendsPerAddress(),
            config.services()),
        config.attachVip()
            ? config.vips().stream()
                .collect(
                    toMap(
                        vip -> vip,
                        vip -> config.interfaceName(),
                        (one, other) -> one,
                        LinkedHashMap::new))
            : Map.of());
  }

  /** The same without these VIPs. */
  DesiredState without(Set<InetAddress> vips) {
    Map<InetAddress, Optional<String>> attached = new LinkedHashMap<>(attachedVips);
    attached.keySet().removeAll(vips);
    return new DesiredState(
        services.stream().filter(service -> !vips.contains(service.vip())).toList(),
        flowTimeouts,
        registry,
        attached);
  }
}
