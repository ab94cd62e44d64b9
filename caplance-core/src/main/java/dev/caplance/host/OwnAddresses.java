package dev.caplance.host;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Collections;
import java.util.HashSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** The addresses of this machine, on all its interfaces, and their MTUs. */
public final class OwnAddresses {

  private static final int LARGEST_PACKET = 65_535;

  private OwnAddresses() {}

  /**
   * Lists them; takes about a millisecond. Any thread may call.
   *
   * @throws SocketException when the kernel does not list them
   */
  public static Set<InetAddress> list() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Those that neighbours may send to: of all interfaces but loopback. Any thread may call.
   *
   * @throws SocketException when the kernel does not list them
   */
  public static Set<InetAddress> onLinks() throws SocketException {
    Set<InetAddress> found = new HashSet<>();
    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (!each.isLoopback()) {
        found.addAll(Collections.list(each.getInetAddresses()));
      }
    }
    return found;
  }

  /**
   * The MTU in bytes of the interface that has an address, at most 65535, the size of the largest
   * IP packet; empty if no interface has it. Any thread may call.
   *
   * @throws SocketException when the kernel does not list the interfaces
   */
  public static OptionalInt mtuOf(InetAddress address) throws SocketException {
    NetworkInterface owner = NetworkInterface.getByInetAddress(address);
    return owner == null
        ? OptionalInt.empty()
        : OptionalInt.of(Math.min(owner.getMTU(), LARGEST_PACKET));
  }

  /**
   * The largest MTU in bytes of all interfaces but loopback, at most 65535; 0 without any. Any
   * thread may call.
   *
   * @throws SocketException when the kernel does not list the interfaces
   */
  public static int widestMtu() throws SocketException {
    int widest = 0;
    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (!each.isLoopback()) {
        widest = Math.max(widest, each.getMTU());
      }
    }
    return Math.min(widest, LARGEST_PACKET);
  }
}
