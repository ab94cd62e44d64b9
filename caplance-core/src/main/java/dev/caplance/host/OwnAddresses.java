package dev.caplance.host;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Collections;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** The addresses that this machine has, on whatever interface. */
public final class OwnAddresses {

  private static final int LARGEST_PACKET = 65_535;

  private OwnAddresses() {}

  /**
   * Asks the kernel for them; takes about a millisecond. Any thread may call.
   *
   * @throws SocketException when the kernel does not tell
   */
  public static Set<InetAddress> list() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * The MTU of the interface that has an address, 65535 bytes at most, which is the largest IP
   * packet; empty when none has it. Any thread may call.
   *
   * @throws SocketException when the kernel does not tell
   */
  public static OptionalInt mtuOf(InetAddress address) throws SocketException {
    NetworkInterface owner = NetworkInterface.getByInetAddress(address);
    return owner == null
        ? OptionalInt.empty()
        : OptionalInt.of(Math.min(owner.getMTU(), LARGEST_PACKET));
  }

  /**
   * The largest MTU of the interfaces to other machines that have an address, 65535 bytes at most;
   * 0 without any. Any thread may call.
   *
   * @throws SocketException when the kernel does not tell
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
