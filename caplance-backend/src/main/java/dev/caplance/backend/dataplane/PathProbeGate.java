package dev.caplance.backend.dataplane;

import dev.caplance.linux.ReceiveBatch;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.Disposition;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Passes the path probes of registrations, {@code SANITY}, on to the sessions, which answer them.
 * Anyone can send such a datagram, so their number in a second is limited: for each load balancer,
 * and for all others together. For the thread that decapsulates; {@link #know} is for any.
 */
final class PathProbeGate {

  private static final byte[] PREFIX = "SANITY ".getBytes(StandardCharsets.US_ASCII);
  private static final int LONGEST = PREFIX.length + 128;
  private static final int PER_SECOND = 256;

  private Decapsulator.PathProbeListener listener;
  private volatile SenderLimits limits = new SenderLimits(AddressSet.EMPTY, PER_SECOND);

  /** Passes them on to this listener; before the first one comes. */
  void passTo(Decapsulator.PathProbeListener sessions) {
    listener = sessions;
  }

  /** Gives each of these senders a limit of its own from now on. */
  void know(AddressSet loadBalancers) {
    limits = new SenderLimits(loadBalancers, PER_SECOND);
  }

  /** Whether a datagram begins like a path probe. No IP packet has such a first byte. */
  static boolean isProbe(ByteBuffer bytes, int offset, int length) {
    return length <= LONGEST && begins(PREFIX, bytes, offset, length);
  }

  /** Whether there is more than a prefix, and the prefix before it. */
  static boolean begins(byte[] prefix, ByteBuffer bytes, int offset, int length) {
    if (length <= prefix.length || bytes.get(offset) != prefix[0]) {
      return false;
    }
    for (int i = 1; i < prefix.length; i++) {
      if (bytes.get(offset + i) != prefix[i]) {
        return false;
      }
    }
    return true;
  }

  /** Hands a datagram of message {@code index} to the listener, unless the limit is reached. */
  Disposition pass(ReceiveBatch batch, int index, int offset, int length) {
    if (!limits.take(batch.senderHigh(index), batch.senderLow(index), System.nanoTime())) {
      return Disposition.STRANGER;
    }
    byte[] text = new byte[length];
    batch.bytes().get(offset, text);
    InetAddress sender = batch.sender(index);
    listener.received(sender, new String(text, StandardCharsets.US_ASCII));
    return Disposition.PATH_PROBE;
  }
}
