package dev.caplance.lb.registry;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.Set;

/**
 * Decides which addresses encapsulated packets may be sent to: unicast addresses of other machines.
 * A packet to an address of the load balancer itself would loop forever.
 */
final class DataAddresses {

  private DataAddresses() {}

  /**
   * An address of this machine.
   *
   * @param device the interface that has it
   * @param broadcast of its network, or null
   */
  record Own(String device, InetAddress address, InetAddress broadcast) {}

  /**
   * Lists the addresses that this machine has at the moment.
   *
   * @throws RefusedException if they cannot be read
   */
  static List<Own> ofThisMachine() throws RefusedException {
    try {
      return NetworkInterface.networkInterfaces()
          .flatMap(
              device ->
                  device.getInterfaceAddresses().stream()
                      .map(a -> new Own(device.getName(), a.getAddress(), a.getBroadcast())))
          .toList();
    } catch (SocketException e) {
      throw new RefusedException(
          "the load balancer cannot read its own addresses ("
              + e.getMessage()
              + "); try again later");
    }
  }

  /**
   * Checks a data address.
   *
   * @throws RefusedException if packets may not be sent to it
   */
  static void check(InetAddress address, Set<InetAddress> vips, List<Own> ownAddresses)
      throws RefusedException {
    if (vips.contains(address)) {
      throw refused(address, "is a VIP of this load balancer");
    }
    if (address.isAnyLocalAddress()) {
      throw refused(address, "is the unspecified address");
    }
    if (address.isLoopbackAddress()) {
      throw refused(address, "is a loopback address");
    }
    if (address.isMulticastAddress()) {
      throw refused(address, "is a multicast address");
    }
    if (IpAddresses.isIpv4(address)) {
      checkIpv4(address);
    } else if (address.isLinkLocalAddress()) {
      throw refused(address, "is a link-local address, which is ambiguous without an interface");
    }
    for (Own own : ownAddresses) {
      if (address.equals(own.address)) {
        throw ownAddress(address);
      }
      if (address.equals(own.broadcast)) {
        throw refused(address, "is the broadcast address of " + own.device);
      }
    }
  }

  static RefusedException ownAddress(InetAddress address) {
    return refused(address, "is an address of the load balancer itself");
  }

  private static void checkIpv4(InetAddress address) throws RefusedException {
    int first = address.getAddress()[0] & 0xff;
    if (first == 0) {
      throw refused(address, "is in 0.0.0.0/8, which no host can use");
    }
    if (IpAddresses.format(address).equals("255.255.255.255")) {
      throw refused(address, "is the broadcast address");
    }
    if (first >= 240) {
      throw refused(address, "is in 240.0.0.0/4, which is reserved");
    }
  }

  private static RefusedException refused(InetAddress address, String what) {
    return new RefusedException(
        IpAddresses.format(address)
            + " "
            + what
            + "; register with the backend's own unicast address, such as REGISTER web-1"
            + " 10.0.0.11");
  }
}
