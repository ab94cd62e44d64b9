package dev.caplance.linux.nfqueue;

import dev.caplance.linux.Errno;
import java.nio.ByteBuffer;

/**
 * Packets that wait for a verdict: {@link NfQueue}. {@link #receive} takes a batch, {@link #next}
 * steps through it, {@link #dropBatch} settles what was not accepted. For one thread. Nothing here
 * allocates but {@link #close}.
 */
public interface PacketSource extends AutoCloseable {

  /** The number of the queue for packets as they are. */
  int number();

  /** Whether the kernel leaves TCP packets joined; if not, it segments them. */
  boolean joins();

  /**
   * Waits for packets and takes a batch.
   *
   * @param most packets of it, up to the batch's size
   * @return how many messages there are for {@link #next}, or a negative error number, {@code
   *     -}{@link Errno#EAGAIN} when no packet came in time
   */
  int receive(int most);

  /**
   * Steps to the next packet of the batch.
   *
   * @return false at its end
   */
  boolean next();

  /**
   * Verdicts that the kernel has refused, according to the batch as far as it was stepped through.
   */
  int refusedVerdicts();

  /** The error number of the last of them. */
  int refusalErrno();

  /** The memory that all packets of a batch lie in, network byte order; absolute access only. */
  ByteBuffer bytes();

  /** Where the current packet begins in {@link #bytes}. */
  int packetOffset();

  /** Where the current packet begins in memory; it stays there until the next {@link #receive}. */
  long packetAddress();

  /** Bytes of the current packet, as far as they were copied. */
  int packetLength();

  /** Whether the current packet was copied whole. A packet over 65,531 bytes is not. */
  boolean packetWhole();

  /** Whether the current packet was joined from several and has no checksum. */
  boolean packetAggregate();

  /** Whether the current packet has its checksum. */
  boolean packetChecksumReady();

  /** The current packet as {@link #accept} knows it. */
  long packetTicket();

  /**
   * Drops every packet of the batch that {@link #next} gave and that was not accepted: its copy has
   * been sent on.
   *
   * @return a negative error number on failure
   */
  int dropBatch();

  /**
   * Lets a packet of the batch continue through this machine, as if there were no queue. If that
   * fails, {@link #dropBatch} drops it.
   *
   * @param ticket of the packet
   * @return a negative error number on failure
   */
  int accept(long ticket);

  @Override
  void close();
}
