package dev.caplance.lb;

import dev.caplance.host.OwnNetworks;
import dev.caplance.host.VipAddresses;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Serves the VIPs of the configuration but those that would make this machine unreachable, such as
 * its own address. Which these are, only the machine can show, and it may change. Used by one
 * thread at a time.
 */
final class ServedVips {

  private final DesiredState desired;
  private final List<InetAddress> all;
  private final Dataplane dataplane;
  private final VipAddresses addresses;
  private final VipKeeper keeper;
  private DesiredState applied;

  ServedVips(DesiredState desired, Dataplane dataplane, VipAddresses addresses, VipKeeper keeper) {
    this.desired = desired;
    this.all = desired.services().stream().map(service -> service.vip()).distinct().toList();
    this.dataplane = dataplane;
    this.addresses = addresses;
    this.keeper = keeper;
  }

  /**
   * Directs the packets of all VIPs that can be served to the data plane, and has them attached.
   *
   * @return why the others cannot be served
   * @throws IOException with a message for the operator
   */
  Map<InetAddress, String> apply() throws IOException {
    Map<InetAddress, String> objections = objections();
    DesiredState possible = desired.without(objections.keySet());
    if (!possible.equals(applied)) {
      // An address without rules would be answered by this machine itself.
      addresses.retain(possible.attachedVips().keySet());
      dataplane.apply(possible.services(), possible.flowTimeouts());
      keeper.want(possible.attachedVips());
      applied = possible;
    }
    return objections;
  }

  /** The same, with what cannot be served as an exception. */
  void maintain() throws IOException {
    Map<InetAddress, String> objections = apply();
    if (!objections.isEmpty()) {
      throw new IOException(
          objections.entrySet().stream()
              .map(
                  vip ->
                      IpAddresses.format(vip.getKey())
                          + " cannot be a VIP, because it is "
                          + vip.getValue())
              .collect(Collectors.joining("; ")));
    }
  }

  private Map<InetAddress, String> objections() throws IOException {
    OwnNetworks networks = OwnNetworks.list();
    Map<InetAddress, String> objections = new LinkedHashMap<>();
    for (InetAddress vip : all) {
      Optional<String> objection = networks.objection(vip);
      objection.ifPresent(reason -> objections.put(vip, reason));
    }
    return objections;
  }
}
