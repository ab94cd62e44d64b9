package dev.caplance.backend.dataplane;

import dev.caplance.linux.ReceiveBatch;
import dev.caplance.packet.Disposition;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Lets sanity checks through to the sessions, which answer them, but no more in a second than a
 * backend with many load balancers can have asked for: anybody can send such a datagram. Used by
 * the thread that decapsulates.
 */
final class SanityGate {

  private static final byte[] PREFIX = "SANITY ".getBytes(StandardCharsets.US_ASCII);
  private static final int LONGEST = PREFIX.length + 128;
  private static final int IN_A_SECOND = 256;
  private static final long SECOND = 1_000_000_000;

  private final SanityListener listener;

  private long second = System.nanoTime();
  private int passed;

  SanityGate(SanityListener listener) {
    this.listener = listener;
  }

  /** Whether this is text that begins as it should: no IP packet has such a first byte. */
  static boolean looksLikeOne(ByteBuffer bytes, int offset, int length) {
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

  /** Hands a datagram of message {@code index} to the listener. */
  Disposition pass(ReceiveBatch batch, int index, int offset, int length) {
    long now = System.nanoTime();
    if (now - second >= SECOND) {
      second = now;
      passed = 0;
    }
    if (passed == IN_A_SECOND) {
      return Disposition.STRANGER;
    }
    passed++;
    byte[] text = new byte[length];
    batch.bytes().get(offset, text);
    InetAddress sender = batch.sender(index);
    listener.received(sender, new String(text, StandardCharsets.US_ASCII));
    return Disposition.SANITY_CHECK;
  }
}
