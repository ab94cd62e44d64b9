package dev.caplance.linux;

import java.nio.ByteBuffer;

/**
 * The messages of one {@code sendmmsg}: each an address and a datagram or a GSO batch. The batch
 * owns the headers that it builds. It does not own the datagrams, which must stay where they are
 * until {@link #flush} has returned, nor the socket. Belongs to one thread; allocates nothing once
 * it is made.
 *
 * <p>A GSO batch is sent as if it were one datagram, and segmented by the kernel or the network
 * card (generic segmentation offload, {@code UDP_SEGMENT} of udp(7)): all its datagrams are as long
 * as the first one, only the last may be shorter.
 */
public final class SendBatch implements AutoCloseable {

  /** What {@link #add} returns when the batch is full. */
  public static final int FULL = -1;

  /** The most datagrams of a GSO batch ({@code UDP_MAX_SEGMENTS} until Linux 6.9; 128 since). */
  public static final int MAX_GSO_DATAGRAMS = 64;

  /** The most bytes of a GSO batch: those of the largest UDP datagram. */
  public static final int MAX_GSO_BYTES = 65_507;

  /** The pieces of a message that is one datagram. */
  public static final int DATAGRAM_PIECES = Datagram.MAX_PIECES;

  /** The pieces of a message that may be a GSO batch. */
  public static final int GSO_PIECES = MAX_GSO_DATAGRAMS * Datagram.MAX_PIECES;

  /** The most messages of one {@code sendmmsg}, and the most pieces of a message. */
  private static final int UIO_MAXIOV = 1024;

  /** {@code struct cmsghdr { size_t len; int level; int type; }} and a value, padded: 24 bytes. */
  private static final int CONTROL = 24;

  private static final int CONTROL_LEVEL = 8;
  private static final int CONTROL_TYPE = 12;
  private static final int CONTROL_DATA = 16;

  /** Room for a source address, for a traffic class and for a segment size. */
  private static final int CONTROLS = SourceAddress.MAX_LENGTH + 2 * CONTROL;

  private final MessageHeaders headers;
  private final NativeMemory extras;
  private final ByteBuffer extraBytes;
  private final int capacity;
  private final int maxPieces;
  private final int controls;
  private final int[] lengths;
  private final int[] datagrams;
  private final int[] pieces;
  private final int[] sizes;
  private final int[] trafficClasses;

  /** Bytes of the control messages of each message, but for the segment size. */
  private final int[] controlLengths;

  private int count;

  /**
   * Allocates an empty batch.
   *
   * @param capacity messages, 1 to 1024
   * @param maxPieces stretches of memory of one message, 2 to 1024: {@link #DATAGRAM_PIECES},
   *     {@link #GSO_PIECES}, or more for datagrams that are extended
   */
  public SendBatch(int capacity, int maxPieces) {
    if (capacity < 1 || capacity > UIO_MAXIOV) {
      throw new IllegalArgumentException("a batch has 1 to 1024 messages, not " + capacity);
    }
    if (maxPieces < Datagram.MAX_PIECES || maxPieces > UIO_MAXIOV) {
      throw new IllegalArgumentException("a message has 2 to 1024 pieces, not " + maxPieces);
    }
    this.capacity = capacity;
    this.maxPieces = maxPieces;
    this.headers = new MessageHeaders(capacity, maxPieces);
    this.controls = capacity * SocketAddress.MAX_LENGTH;
    this.extras = NativeMemory.allocate(capacity * (SocketAddress.MAX_LENGTH + CONTROLS));
    this.extraBytes = extras.nativeBytes();
    this.lengths = new int[capacity];
    this.datagrams = new int[capacity];
    this.pieces = new int[capacity];
    this.sizes = new int[capacity];
    this.trafficClasses = new int[capacity];
    this.controlLengths = new int[capacity];
  }

  /**
   * Adds a message of one datagram.
   *
   * @param to where it goes
   * @param trafficClass of the IP header that the kernel writes, the TOS or traffic-class byte, 0
   *     to 255; means nothing to raw sockets, whose packets bring their own header
   * @return the index of the message, or {@link #FULL}
   */
  public int add(Datagram datagram, SocketAddress to, int trafficClass) {
    return add(datagram, to, null, trafficClass);
  }

  /**
   * The same from one address of this machine.
   *
   * @param from of the same IP version; null: the kernel chooses it by its routes
   */
  public int add(Datagram datagram, SocketAddress to, SourceAddress from, int trafficClass) {
    if (count == capacity) {
      return FULL;
    }
    to.writeTo(extraBytes, name(count));
    return begin(datagram, to.length, to.family == Libc.AF_INET, from, trafficClass);
  }

  /**
   * Adds a whole packet for a raw socket.
   *
   * @param high and {@code low}: the halves of the destination's 16-byte form in network order,
   *     IPv4 as ::ffff:a.b.c.d
   * @return the index of the message, or {@link #FULL}
   */
  public int addRaw(Datagram packet, boolean ipv4, long high, long low) {
    if (count == capacity) {
      return FULL;
    }
    return begin(
        packet, SocketAddress.write(extraBytes, name(count), ipv4, high, low), ipv4, null, 0);
  }

  private int begin(
      Datagram datagram, int nameLength, boolean ipv4, SourceAddress from, int trafficClass) {
    int message = count++;
    headers.setName(message, extras.address() + name(message), nameLength);
    lengths[message] = 0;
    datagrams[message] = 1;
    pieces[message] = 0;
    sizes[message] = datagram.length();
    trafficClasses[message] = trafficClass;
    int at = control(message);
    if (from != null) {
      from.writeTo(extraBytes, at);
      at += from.length;
    }
    if (trafficClass != 0) {
      int level = ipv4 ? Libc.IPPROTO_IP : Libc.IPPROTO_IPV6;
      writeControl(at, Integer.BYTES, level, ipv4 ? Libc.IP_TOS : Libc.IPV6_TCLASS);
      extraBytes.putInt(at + CONTROL_DATA, trafficClass);
      at += CONTROL;
    }
    controlLengths[message] = at - control(message);
    setControl(message, false);
    addPieces(message, datagram);
    return message;
  }

  /**
   * Adds a datagram to the GSO batch of a message, which a datagram begins that is alone.
   *
   * @param message an index that {@link #add} returned since the last {@link #flush}
   * @return false when that cannot be: the datagram is longer than the first, one that was shorter
   *     has ended the GSO batch, or it is full
   */
  public boolean append(int message, Datagram datagram) {
    int length = datagram.length();
    int size = sizes[message];
    int before = datagrams[message];
    if (length > size
        || lengths[message] != before * size
        || before == MAX_GSO_DATAGRAMS
        || lengths[message] + length > MAX_GSO_BYTES
        || pieces[message] + Datagram.MAX_PIECES > maxPieces) {
      return false;
    }
    datagrams[message] = before + 1;
    addPieces(message, datagram);
    if (before == 1) {
      int at = control(message) + controlLengths[message];
      writeControl(at, Short.BYTES, Libc.IPPROTO_UDP, Libc.UDP_SEGMENT);
      extraBytes.putShort(at + CONTROL_DATA, (short) size);
      setControl(message, true);
    }
    return true;
  }

  /**
   * Makes the datagram of a message longer. The message is no GSO batch.
   *
   * @param message an index that {@link #add} returned since the last {@link #flush}
   * @return false when the message has no room for another piece
   */
  public boolean extend(int message, long address, int length) {
    if (pieces[message] == maxPieces) {
      return false;
    }
    addPiece(message, address, length);
    sizes[message] += length;
    return true;
  }

  private void addPieces(int message, Datagram datagram) {
    addPiece(message, datagram.first(), datagram.firstLength());
    if (datagram.divided()) {
      addPiece(message, datagram.second(), datagram.secondLength());
    }
  }

  private void addPiece(int message, long address, int length) {
    headers.setPiece(message, pieces[message]++, address, length);
    lengths[message] += length;
  }

  /** Attaches the control messages; the segment size is the last of them. */
  private void setControl(int message, boolean segmentSize) {
    int length = controlLengths[message] + (segmentSize ? CONTROL : 0);
    headers.setControl(message, length == 0 ? 0 : extras.address() + control(message), length);
  }

  private void writeControl(int at, int dataLength, int level, int type) {
    extraBytes.putLong(at, CONTROL_DATA + dataLength);
    extraBytes.putInt(at + CONTROL_LEVEL, level);
    extraBytes.putInt(at + CONTROL_TYPE, type);
  }

  private int name(int message) {
    return message * SocketAddress.MAX_LENGTH;
  }

  private int control(int message) {
    return controls + message * CONTROLS;
  }

  /** Messages that wait to be sent. */
  public int count() {
    return count;
  }

  /** The traffic class of a message that waits. */
  public int trafficClass(int message) {
    return trafficClasses[message];
  }

  /** Sends all messages, which leaves the batch empty. One that is refused stops no other. */
  public void flush(Sink sink, Listener listener) {
    int next = 0;
    while (next < count) {
      int sent = sink.send(headers.address(next), count - next);
      for (int end = next + Math.max(sent, 0); next < end; next++) {
        listener.sent(next, datagrams[next], lengths[next]);
      }
      if (sent <= 0) {
        refused(next, -sent, sink, listener);
        next++;
      }
    }
    count = 0;
  }

  private void refused(int message, int errno, Sink sink, Listener listener) {
    boolean gso = errno == Errno.EINVAL || errno == Errno.EMSGSIZE || errno == Errno.EIO;
    if (datagrams[message] > 1 && gso) {
      sendOneByOne(message, errno, sink, listener);
    } else {
      listener.failed(message, datagrams[message], errno);
    }
  }

  /**
   * Sends parts of the message in its own header: no other datagram has to be described anew. If
   * the first one is refused too, segmentation was not the reason, and none of the others would go.
   */
  private void sendOneByOne(int message, int gsoErrno, Sink sink, Listener listener) {
    setControl(message, false);
    int next = 0;
    for (int done = 0; next < pieces[message]; done++) {
      int first = next;
      int length = 0;
      while (length < sizes[message] && next < pieces[message]) {
        length += headers.pieceLength(message, next++);
      }
      headers.selectPieces(message, first, next - first);
      int sent = sink.send(headers.address(message), 1);
      if (done == 0 && sent <= 0) {
        listener.failed(message, datagrams[message], -sent);
        break;
      }
      if (done == 0) {
        listener.gsoRefused(message, gsoErrno);
      }
      if (sent > 0) {
        listener.sent(message, 1, length);
      } else {
        listener.failed(message, 1, -sent);
      }
    }
    headers.selectPieces(message, 0, pieces[message]);
  }

  /** Frees the memory. Messages that wait are forgotten. */
  @Override
  public void close() {
    headers.close();
    extras.close();
  }

  /** Learns what became of the messages of a {@link SendBatch}, in their order. */
  public interface Listener {

    /** The kernel took {@code datagrams} of message {@code index}, {@code bytes} in all. */
    void sent(int index, int datagrams, int bytes);

    /** The kernel refused {@code datagrams} of message {@code index} with this error number. */
    void failed(int index, int datagrams, int errno);

    /**
     * The kernel refused to segment the GSO batch in message {@code index}: the interface has no
     * checksum offload, or its MTU is too small. Its datagrams are sent one by one.
     */
    default void gsoRefused(int index, int errno) {}
  }

  /**
   * What takes the messages of a {@link SendBatch}: a {@link LinuxSocket}. Tests put something else
   * in its place that fails when they want it to.
   */
  public interface Sink extends AutoCloseable {

    /**
     * Sends messages without waiting for room. Allocates nothing.
     *
     * @param messages address of the first {@code struct mmsghdr}; the others follow it
     * @param count how many, 1 to 1024
     * @return how many were sent: fewer than {@code count} when one failed, whose error the call
     *     that begins with it returns; or the negative error number of the first message
     */
    int send(long messages, int count);

    @Override
    void close();
  }
}
