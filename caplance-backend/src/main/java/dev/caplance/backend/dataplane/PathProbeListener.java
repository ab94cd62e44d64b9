package dev.caplance.backend.dataplane;

import java.net.InetAddress;

/** Receives datagrams that begin like a path probe, {@code SANITY}, and not like an IP packet. */
public interface PathProbeListener {

  /**
   * Called by the thread that decapsulates; must return at once.
   *
   * @param sender the address that it came from
   * @param datagram its text, not checked further
   */
  void received(InetAddress sender, String datagram);
}
