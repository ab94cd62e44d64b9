package dev.caplance.backend.dataplane;

import java.net.InetAddress;

/** Told of a datagram that begins like a sanity check and not like an IP packet. */
public interface SanityListener {

  /**
   * Called by the thread that decapsulates; returns at once.
   *
   * @param sender the address it came from
   * @param datagram its text, not checked further
   */
  void received(InetAddress sender, String datagram);
}
