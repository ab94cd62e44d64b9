package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.packet.FlowKey;

/**
 * The last eight bytes of an entry of the {@link FlowTable}, as a number: the target, what is known
 * of the flow, and when its last packet came. 0 is a free entry, since no target has the id 0.
 *
 * <pre>
 * bits 32 to 63   the target's id
 * bits 29 to 31   the state
 * bit  28         whether the flow is counted as seen lately
 * bits  0 to 27   seconds of the last packet; while reopening, part of the sequence number
 * </pre>
 *
 * <p>Anybody can forge a FIN, a RST or a SYN of a connection, so each is only a hint. What the
 * client sends afterwards contradicts a RST, and data contradicts a FIN (after which a client goes
 * on to acknowledge). A SYN begins another connection only when the handshake's last packet follows
 * it, which has the sequence number that the SYN announced.
 */
final class FlowState {

  /** Its first packet was seen; its source may be forged. */
  static final int NEW = 0;

  /** A TCP connection. */
  static final int TCP = 1;

  /** A UDP flow of more than one packet. */
  static final int UDP = 2;

  /** The client's last word was a FIN. */
  static final int FIN = 3;

  /** The client's last word was a RST. */
  static final int RESET = 4;

  /** After a FIN or RST, a SYN went to another target, which has the flow once it is confirmed. */
  static final int REOPENING = 5;

  /** Reopening since the last sweep. */
  static final int REOPENING_LONG = 6;

  /** A UDP flow of which one packet was seen. */
  static final int NEW_UDP = 7;

  /** The number of states. */
  static final int COUNT = 8;

  private static final int TARGET_SHIFT = 32;
  private static final int STATE_SHIFT = 29;
  private static final int STATES = COUNT - 1;
  private static final long COUNTED = 1L << 28;
  private static final int SECONDS = (1 << 28) - 1;

  /** Sequence numbers are kept without their lowest bits. */
  private static final int SEQUENCE_SHIFT = 4;

  /** How far the packet that confirms a SYN may be ahead of it, in units of 16 bytes: 64 KiB. */
  private static final int CONFIRMING = 1 << 12;

  private FlowState() {}

  /** A flow that is counted as seen lately. */
  static long of(int targetId, int state, int seconds) {
    return (long) targetId << TARGET_SHIFT
        | (long) state << STATE_SHIFT
        | COUNTED
        | (seconds & SECONDS);
  }

  /** A flow whose SYN with this sequence number was sent to another target. */
  static long reopening(long meta, int sequence) {
    return of(targetId(meta), REOPENING, (sequence + 1) >>> SEQUENCE_SHIFT);
  }

  /** The same flow after a sweep. */
  static long olderReopening(long meta) {
    return of(targetId(meta), REOPENING_LONG, (int) meta);
  }

  /** The same flow, not counted as seen lately. */
  static long uncounted(long meta) {
    return meta & ~COUNTED;
  }

  static int targetId(long meta) {
    return (int) (meta >>> TARGET_SHIFT);
  }

  static int state(long meta) {
    return (int) (meta >>> STATE_SHIFT) & STATES;
  }

  static boolean isCounted(long meta) {
    return (meta & COUNTED) != 0;
  }

  /** Seconds since its last packet; 0 while it is reopening. */
  static int age(long meta, int now) {
    return isReopening(state(meta)) ? 0 : now - ((int) meta & SECONDS);
  }

  static boolean isNew(int state) {
    return state == NEW || state == NEW_UDP;
  }

  /** Whether the connection seems to have ended. */
  static boolean isClosing(int state) {
    return state == FIN || state == RESET;
  }

  static boolean isReopening(int state) {
    return state == REOPENING || state == REOPENING_LONG;
  }

  /** Whether time ends the flow: UDP has no other end. */
  static boolean isTimed(int state) {
    return state == UDP || state == NEW_UDP;
  }

  /** Whether a packet with this sequence number follows the SYN of a flow that is reopening. */
  static boolean confirms(long meta, int sequence) {
    int ahead = ((sequence >>> SEQUENCE_SHIFT) - ((int) meta & SECONDS)) & SECONDS;
    return ahead < CONFIRMING;
  }

  /** The state after a packet of the flow that is no SYN. */
  static int after(int state, FlowKey packet) {
    if (isTimed(state)) {
      return UDP;
    }
    if (packet.isClosing()) {
      return state == NEW ? NEW : packet.isReset() ? RESET : FIN;
    }
    return state == FIN && !packet.carriesData() ? FIN : TCP;
  }
}
