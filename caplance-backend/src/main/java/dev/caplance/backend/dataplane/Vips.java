package dev.caplance.backend.dataplane;

import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.List;

/** The VIPs of this backend, each with its address in the form that sockets take. Immutable. */
final class Vips {

  private final long[] high;
  private final long[] low;
  private final SocketAddress[] addresses;

  Vips(List<InetAddress> vips) {
    high = vips.stream().mapToLong(IpAddresses::high).toArray();
    low = vips.stream().mapToLong(IpAddresses::low).toArray();
    addresses = vips.stream().map(vip -> SocketAddress.of(vip, 0)).toArray(SocketAddress[]::new);
  }

  /** The VIP whose 16-byte form has these halves, or null when it is none. */
  SocketAddress find(long addressHigh, long addressLow) {
    for (int i = 0; i < low.length; i++) {
      if (low[i] == addressLow && high[i] == addressHigh) {
        return addresses[i];
      }
    }
    return null;
  }

  /** Whether all of them are in the set. */
  boolean allIn(AddressSet set) {
    for (int i = 0; i < low.length; i++) {
      if (!set.contains(high[i], low[i])) {
        return false;
      }
    }
    return true;
  }
}
