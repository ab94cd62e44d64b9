package dev.caplance.lb.registry;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.Set;

/**
 * Which addresses encapsulated packets may be sent to: unicast addresses of other machines. One of
 * the load balancer's own would send each packet round and round for ever.
 */
final class DataAddresses {

  private DataAddresses() {}

  /**
   * An address of this machine.
   *
   * @param broadcast of its network, or null
   */
  record Own(String device, InetAddress address, InetAddress broadcast) {}

  /** The addresses that this machine has now; they may be others the next moment. */
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
          "the load balancer cannot tell its own addresses (" + e.getMessage() + "); try later");
    }
  }

  /** Refuses an address that packets may not be sent to. */
  static void check(InetAddress address, Set<InetAddress> vips, List<Own> ownAddresses)
      throws RefusedException {
    if (vips.contains(address)) {
      throw refused(address, "is a virtual IP of this load balancer");
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
      throw refused(address, "is a link-local address, which means nothing without an interface");
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
    return refused(address, "is an address of this load balancer itself");
  }

  private static void checkIpv4(InetAddress address) throws RefusedException {
    int first = address.getAddress()[0] & 0xff;
    if (first == 0) {
      throw refused(address, "is in 0.0.0.0/8, which is no host's");
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
            + "; register with the backend's own unicast address, like REGISTER web-1 10.0.0.11");
  }
}
