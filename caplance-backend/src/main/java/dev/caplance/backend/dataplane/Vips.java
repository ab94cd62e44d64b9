package dev.caplance.backend.dataplane;

import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.List;

/** The VIPs of this backend, each with its address as the raw socket takes it. Immutable. */
final class Vips {

  private final long[] high;
  private final long[] low;
  private final SocketAddress[] targets;

  Vips(List<InetAddress> vips) {
    high = vips.stream().mapToLong(IpAddresses::high).toArray();
    low = vips.stream().mapToLong(IpAddresses::low).toArray();
    targets = vips.stream().map(vip -> SocketAddress.of(vip, 0)).toArray(SocketAddress[]::new);
  }

  /** Where packets for this address are delivered, or null when it is no VIP. */
  SocketAddress find(long addressHigh, long addressLow) {
    for (int i = 0; i < low.length; i++) {
      if (low[i] == addressLow && high[i] == addressHigh) {
        return targets[i];
      }
    }
    return null;
  }
}
