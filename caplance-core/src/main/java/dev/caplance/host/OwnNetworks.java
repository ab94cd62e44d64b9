package dev.caplance.host;

import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * The networks that this machine has an address in, and which addresses can be no VIP because of
 * them. A VIP's packets go to backends: were it an address that this machine needs for itself, the
 * machine could not be reached any more.
 *
 * @param all in the kernel's order, in which the first IPv4 address of a network is the machine's
 *     own and others were added to it
 */
public record OwnNetworks(List<Network> all) {

  /**
   * A network.
   *
   * @param address this machine's in it, and the length of its prefix
   */
  public record Network(String device, IpPrefix address) {}

  /**
   * Lists them; takes about a millisecond. Any thread may call.
   *
   * @throws SocketException when the kernel does not list them
   */
  public static OwnNetworks list() throws SocketException {
    List<Network> all = new ArrayList<>();
    for (NetworkInterface device : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (!device.isLoopback()) {
        for (InterfaceAddress each : device.getInterfaceAddresses()) {
          IpPrefix prefix = new IpPrefix(each.getAddress(), each.getNetworkPrefixLength());
          if (!prefix.isSingleAddress()) {
            all.add(new Network(device.getName(), prefix));
          }
        }
      }
    }
    return new OwnNetworks(List.copyOf(all));
  }

  /** Why an address can be no VIP here, completing "it is …"; empty if it can. */
  public Optional<String> objection(InetAddress vip) {
    return all.stream()
        .filter(network -> network.address().contains(vip))
        .flatMap(network -> objection(vip, network).stream())
        .findFirst();
  }

  private Optional<String> objection(InetAddress vip, Network network) {
    IpPrefix prefix = network.address();
    String place = " on " + network.device();
    if (prefix.address().equals(vip)) {
      return isNeeded(network)
          ? Optional.of("this machine's own address" + place)
          : Optional.empty();
    }
    int hostBits = vip.getAddress().length * Byte.SIZE - prefix.length();
    if (hostBits < 2) {
      return Optional.empty(); // RFC 3021, RFC 6164: links between two routers.
    }
    if (hostPart(vip, hostBits, false)) {
      return Optional.of("the address of the network " + prefix + place + " itself");
    }
    return IpAddresses.isIpv4(vip) && hostPart(vip, hostBits, true)
        ? Optional.of("the broadcast address of the network " + prefix + place)
        : Optional.empty();
  }

  /** Whether this machine has no other address, added earlier, in the same network. */
  private boolean isNeeded(Network network) {
    List<Network> same =
        all.stream()
            .filter(other -> other.device().equals(network.device()))
            .filter(other -> other.address().length() == network.address().length())
            .filter(other -> other.address().contains(network.address().address()))
            .toList();
    return IpAddresses.isIpv4(network.address().address())
        ? same.get(0).equals(network)
        : same.size() == 1;
  }

  /** Whether the last bits of an address are all 0 or all 1. */
  private static boolean hostPart(InetAddress address, int bits, boolean ones) {
    byte[] bytes = address.getAddress();
    for (int i = 0; i < bits; i++) {
      boolean one = (bytes[bytes.length - 1 - i / Byte.SIZE] >> i % Byte.SIZE & 1) == 1;
      if (one != ones) {
        return false;
      }
    }
    return true;
  }
}
