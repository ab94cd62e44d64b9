package dev.caplance.host;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Set;
import java.util.stream.Collectors;

/** The addresses that this machine has, on whatever interface. */
public final class OwnAddresses {

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
}
