package dev.caplance.linux;

import java.nio.ByteBuffer;

/**
 * The messages of one {@code sendmmsg}: each an address, and a datagram or a run of them. A
 * datagram is one stretch of memory outside the heap, or a header and a payload in two, that stay
 * where they are until {@link LinuxSocket#send(SendBatch, int)} has returned. Belongs to one
 * thread.
 *
 * <p>A run is sent as if it were one datagram, and cut by the kernel or the network card (generic
 * segmentation offload, {@code UDP_SEGMENT} of udp(7)): all datagrams are as long as the first,
 * only the last may be shorter.
 */
final class SendBatch implements AutoCloseable {

  /** The most datagrams of a run ({@code UDP_MAX_SEGMENTS} until Linux 6.9; 128 since). */
  static final int MAX_RUN = 64;

  /** The most bytes of a run: those of the largest UDP datagram. */
  static final int MAX_RUN_BYTES = 65_507;

  /** {@code struct cmsghdr { size_t len; int level; int type; }} and a value, padded: 24 bytes. */
  private static final int CONTROL = 24;

  private static final int CONTROL_DATA = 16;

  /** Room for a traffic class and for a segment size. */
  private static final int CONTROLS = 2 * CONTROL;

  final MessageHeaders headers;

  private final NativeMemory extras;
  private final ByteBuffer extraBytes;
  private final int capacity;
  private final int controls;
  private final int[] lengths;
  private final int[] datagrams;
  private final int[] pieces;
  private final int[] sizes;
  private final int[] trafficClasses;
  private int count;

  /**
   * Allocates a batch of 1 to 1024 messages.
   *
   * @param runs whether they may be runs, or datagrams of up to as many pieces
   */
  SendBatch(int capacity, boolean runs) {
    int messages = capacity + 1; // The last one is for the datagrams of a run that was refused.
    this.capacity = capacity;
    this.headers = new MessageHeaders(messages, runs ? 2 * MAX_RUN : 2);
    this.controls = messages * SocketAddress.MAX_LENGTH;
    this.extras = NativeMemory.allocate(messages * (SocketAddress.MAX_LENGTH + CONTROLS));
    this.extraBytes = extras.nativeBytes();
    this.lengths = new int[messages];
    this.datagrams = new int[messages];
    this.pieces = new int[messages];
    this.sizes = new int[messages];
    this.trafficClasses = new int[messages];
  }

  /**
   * Appends a message without data, for {@link #addDatagram}. The caller sees to it that there are
   * never more than the capacity.
   *
   * @param to where it goes
   * @param trafficClass the value of the TOS or traffic-class byte of the outer header, 0 to 255;
   *     means nothing to raw sockets that bring their own header
   * @return its index
   */
  int add(SocketAddress to, int trafficClass) {
    to.writeTo(extraBytes, count * SocketAddress.MAX_LENGTH);
    return append(to.family == Libc.AF_INET, to.length, trafficClass);
  }

  /**
   * The same for a raw socket.
   *
   * @param high and {@code low}: the halves of the destination's 16-byte form in network order
   */
  int add(boolean ipv4, long high, long low) {
    int name = count * SocketAddress.MAX_LENGTH;
    return append(ipv4, SocketAddress.write(extraBytes, name, ipv4, high, low), 0);
  }

  private int append(boolean ipv4, int nameLength, int trafficClass) {
    int index = count++;
    headers.setName(index, extras.address() + (long) index * SocketAddress.MAX_LENGTH, nameLength);
    lengths[index] = 0;
    datagrams[index] = 0;
    pieces[index] = 0;
    trafficClasses[index] = trafficClass;
    if (trafficClass == 0) {
      headers.setControl(index, 0, 0);
    } else {
      int at = controls(index);
      int level = ipv4 ? Libc.IPPROTO_IP : Libc.IPPROTO_IPV6;
      writeControl(at, 4, level, ipv4 ? Libc.IP_TOS : Libc.IPV6_TCLASS);
      extraBytes.putInt(at + CONTROL_DATA, trafficClass);
      headers.setControl(index, extras.address() + at, CONTROL);
    }
    return index;
  }

  /** Appends a datagram to message {@code index}, whose run this is if it is not the first. */
  void addDatagram(int index, long data, int length) {
    addPiece(index, data, length);
    addedDatagram(index, length);
  }

  /** The same for a datagram that lies in two places. */
  void addDatagram(int index, long header, int headerLength, long payload, int payloadLength) {
    addPiece(index, header, headerLength);
    addPiece(index, payload, payloadLength);
    addedDatagram(index, headerLength + payloadLength);
  }

  /** Appends to the datagram of message {@code index}, which is no run. */
  void lengthen(int index, long data, int length) {
    addPiece(index, data, length);
    sizes[index] += length;
  }

  private void addPiece(int index, long data, int length) {
    headers.setPiece(index, pieces[index]++, data, length);
    lengths[index] += length;
  }

  private void addedDatagram(int index, int length) {
    if (++datagrams[index] == 1) {
      sizes[index] = length;
    } else if (datagrams[index] == 2) {
      makeRun(index);
    }
  }

  private void makeRun(int index) {
    boolean alone = trafficClasses[index] == 0;
    int at = controls(index) + (alone ? 0 : CONTROL);
    writeControl(at, 2, Libc.IPPROTO_UDP, Libc.UDP_SEGMENT);
    extraBytes.putShort(at + CONTROL_DATA, (short) sizes[index]);
    headers.setControl(index, extras.address() + controls(index), alone ? CONTROL : CONTROLS);
  }

  private int controls(int index) {
    return controls + index * CONTROLS;
  }

  private void writeControl(int at, int dataLength, int level, int type) {
    extraBytes.putLong(at, CONTROL_DATA + dataLength);
    extraBytes.putInt(at + 8, level);
    extraBytes.putInt(at + 12, type);
  }

  /**
   * Makes a spare message, outside {@link #count}, of one datagram of a run.
   *
   * @param index of the run
   * @param piece the first piece of the datagram, from 0
   * @return the piece where the next datagram begins
   */
  int takeDatagram(int index, int piece) {
    int size = Math.min(sizes[index], remaining(index, piece));
    headers.copyName(capacity, index);
    boolean plain = trafficClasses[index] == 0;
    headers.setControl(
        capacity, plain ? 0 : extras.address() + controls(index), plain ? 0 : CONTROL);
    lengths[capacity] = size;
    int next = piece;
    for (int taken = 0; taken < size; next++) {
      int length = headers.pieceLength(index, next);
      headers.setPiece(capacity, next - piece, headers.pieceAddress(index, next), length);
      taken += length;
    }
    return next;
  }

  private int remaining(int index, int piece) {
    int bytes = 0;
    for (int i = piece; i < pieces[index]; i++) {
      bytes += headers.pieceLength(index, i);
    }
    return bytes;
  }

  /** The index of the message that {@link #takeDatagram} makes. */
  int spare() {
    return capacity;
  }

  /** Messages that wait to be sent. */
  int count() {
    return count;
  }

  /** Bytes of message {@code index}, of all its datagrams. */
  int length(int index) {
    return lengths[index];
  }

  /** Datagrams of message {@code index}. */
  int datagrams(int index) {
    return datagrams[index];
  }

  /** Pieces of message {@code index}. */
  int pieces(int index) {
    return pieces[index];
  }

  /** Forgets all messages. */
  void clear() {
    count = 0;
  }

  @Override
  public void close() {
    headers.close();
    extras.close();
  }
}
