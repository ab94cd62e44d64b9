package dev.caplance.backend.dataplane;

import dev.caplance.linux.ReceiveBatch;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.TokenBucket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Passes path probes on to the sessions, which answer them. Anyone can send such a datagram, so no
 * more pass in a second than the load balancers of one backend can have sent. For the thread that
 * decapsulates.
 */
final class PathProbeGate {

  private static final byte[] PREFIX = "SANITY ".getBytes(StandardCharsets.US_ASCII);
  private static final int LONGEST = PREFIX.length + 128;
  private static final int PER_SECOND = 256;

  private final Decapsulator.PathProbeListener listener;
  private final TokenBucket limit = TokenBucket.perSecond(PER_SECOND, System.nanoTime());

  PathProbeGate(Decapsulator.PathProbeListener listener) {
    this.listener = listener;
  }

  /** Whether a datagram begins like a path probe. No IP packet has such a first byte. */
  static boolean isProbe(ByteBuffer bytes, int offset, int length) {
    if (length <= PREFIX.length || length > LONGEST || bytes.get(offset) != PREFIX[0]) {
      return false;
    }
    for (int i = 1; i < PREFIX.length; i++) {
      if (bytes.get(offset + i) != PREFIX[i]) {
        return false;
      }
    }
    return true;
  }

  /** Hands a datagram of message {@code index} to the listener, unless the limit is reached. */
  Disposition pass(ReceiveBatch batch, int index, int offset, int length) {
    if (!limit.take(System.nanoTime())) {
      return Disposition.STRANGER;
    }
    byte[] text = new byte[length];
    batch.bytes().get(offset, text);
    InetAddress sender = batch.sender(index);
    listener.received(sender, new String(text, StandardCharsets.US_ASCII));
    return Disposition.PATH_PROBE;
  }
}
