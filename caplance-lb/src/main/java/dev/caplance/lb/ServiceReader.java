package dev.caplance.lb;

import dev.caplance.config.ConfigSection;
import dev.caplance.config.ValueParser;
import dev.caplance.config.Values;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.ServiceSpec.Affinity;
import dev.caplance.lb.forwarding.ServiceSpec.OtherTraffic;
import dev.caplance.lb.forwarding.ServiceSpec.UdpWhenUnhealthy;
import dev.caplance.lb.forwarding.ServiceSpec.WhenAllUnhealthy;
import dev.caplance.lb.forwarding.ServiceSpec.WhenEmpty;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Reads the services of the configuration one by one, and reports conflicts with those read before.
 */
final class ServiceReader {

  private final List<ServiceSpec> earlier = new ArrayList<>();

  /** Reads the next service; its mistakes are reported to the section. */
  ServiceSpec read(ConfigSection section) {
    InetAddress vip = section.require("vip", Values.reachableAddress(), "10.0.0.50");
    ServiceSpec service =
        new ServiceSpec(
            readName(section, vip),
            vip,
            readPorts(section, vip),
            section.get("legacy", Values.bool(), false),
            section.get(
                "whenAllUnfit", Values.oneOf(WhenAllUnhealthy.class), WhenAllUnhealthy.FORWARD),
            section.get("whenEmpty", Values.oneOf(WhenEmpty.class), WhenEmpty.REJECT),
            section.get("otherTraffic", Values.oneOf(OtherTraffic.class), OtherTraffic.HOST),
            section.get("affinity", Values.oneOf(Affinity.class), Affinity.FLOW),
            section.get(
                "udpWhenUnhealthy", Values.oneOf(UdpWhenUnhealthy.class), UdpWhenUnhealthy.MOVE));
    if (vip != null) {
      checkLegacy(section, service);
      checkOtherTraffic(section, service);
      earlier.add(service);
    }
    return service;
  }

  private String readName(ConfigSection section, InetAddress vip) {
    // Names have no colons, and backends use this one in their own configuration.
    String byDefault = vip == null ? "" : IpAddresses.format(vip).replace(':', '-');
    String name = section.get("name", Values.name(), byDefault);
    if (find(service -> service.name().equals(name)).isPresent()) {
      section.reject(
          "name", "'" + name + "' is already the name of another service; choose another");
    }
    return name;
  }

  private Ports readPorts(ConfigSection section, InetAddress vip) {
    if (!section.has("ports")) {
      find(service -> service.vip().equals(vip))
          .ifPresent(
              other ->
                  section.reject(
                      "vip",
                      IpAddresses.format(vip)
                          + " is already the VIP of service '"
                          + other.name()
                          + "'; give each service a VIP or ports of its own, such as ports:"
                          + " [tcp/80]"));
      return Ports.ALL;
    }
    ValueParser<Ports> parser = Ports::parse;
    return section
        .values(
            "ports",
            parser.unless(
                ports -> owner(vip, ports).isPresent(),
                ports ->
                    ports
                        + " of "
                        + IpAddresses.format(vip)
                        + " already belongs to service '"
                        + owner(vip, ports).orElseThrow().name()
                        + "'; list each port in one service only"),
            "tcp/80")
        .stream()
        .reduce(Ports.NONE, Ports::union);
  }

  /** Finds the service that already has some of these ports of the VIP. */
  private Optional<ServiceSpec> owner(InetAddress vip, Ports ports) {
    return find(
        service -> service.vip().equals(vip) && !service.ports().intersection(ports).isEmpty());
  }

  private void checkLegacy(ConfigSection section, ServiceSpec service) {
    if (!service.legacy()) {
      return;
    }
    if (!IpAddresses.isIpv4(service.vip())) {
      section.reject("legacy", "2019 backends support only IPv4; mark a service with an IPv4 VIP");
    }
    if (find(ServiceSpec::legacy).isPresent()) {
      section.reject("legacy", "2019 backends support only one VIP; mark only one service");
    }
  }

  /** Packets that belong to no service apply to the VIP as a whole, so its services must agree. */
  private void checkOtherTraffic(ConfigSection section, ServiceSpec service) {
    find(other -> other.vip().equals(service.vip()))
        .filter(first -> first.otherTraffic() != service.otherTraffic())
        .ifPresent(
            other ->
                section.reject(
                    "otherTraffic",
                    "service '"
                        + other.name()
                        + "' of the same VIP has "
                        + other.otherTraffic().name().toLowerCase(Locale.ROOT)
                        + "; use the same value in both"));
  }

  private Optional<ServiceSpec> find(Predicate<ServiceSpec> wanted) {
    return earlier.stream().filter(wanted).findFirst();
  }
}
