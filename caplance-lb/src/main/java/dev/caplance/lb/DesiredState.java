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

/**
 * What the configuration wants of the running load balancer, each part in the form in which one
 * component applies it. What only a restart changes (queues, ports, the hash key, directories) is
 * not here.
 *
 * @param services of the forwarding table and the netfilter rules
 * @param flowTimeouts after which flows are forgotten
 * @param registry how backends register
 * @param attachedVips VIPs for interfaces of this host; empty: the interface whose network holds it
 */
record DesiredState(
    List<ServiceSpec> services,
    Dataplane.FlowTimeouts flowTimeouts,
    RegistrySettings registry,
    Map<InetAddress, Optional<String>> attachedVips) {

  static DesiredState of(LbConfig config) {
    LbConfig.Flows flows = config.flows();
    return new DesiredState(
        config.services(),
        new Dataplane.FlowTimeouts(flows.tcpIdle(), flows.udpIdle(), flows.closingIdle()),
        new RegistrySettings(
            config.session().registerTimeout(), config.session().readTimeout(), config.services()),
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
}
