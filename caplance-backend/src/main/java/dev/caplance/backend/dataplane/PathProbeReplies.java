package dev.caplance.backend.dataplane;

import dev.caplance.linux.Datagram;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.linux.SendBatch;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.PathProbe;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Answers {@link PathProbe}s once they are delivered: they arrive on the data port a second time,
 * after the whole way of a client's packet. The load balancers are answered a limited number of
 * times in a second each. For the thread that decapsulates; {@link #know} and {@link #answered} are
 * for any.
 */
final class PathProbeReplies implements SendBatch.Listener, AutoCloseable {

  private static final byte[] PREFIX = "PROBE ".getBytes(StandardCharsets.US_ASCII);

  /** A load balancer sends at most ten. */
  private static final int PER_SECOND = 64;

  private static final int LONGEST_REPLY = 256;

  private final SendBatch.Sink socket;
  private final SendBatch replies = new SendBatch(1, SendBatch.DATAGRAM_PIECES);
  private final NativeMemory memory = NativeMemory.allocate(LONGEST_REPLY);
  private final Datagram datagram = new Datagram();
  private final AtomicLong answered = new AtomicLong();
  private Decapsulator.PathProbeListener listener;
  private volatile SenderLimits limits = new SenderLimits(AddressSet.EMPTY, PER_SECOND);
  private Disposition outcome;

  /** Replies that leave from a socket. */
  PathProbeReplies(SendBatch.Sink socket) {
    this.socket = socket;
  }

  /** Tells this listener the token of each probe that is answered; before the first one comes. */
  void tell(Decapsulator.PathProbeListener sessions) {
    listener = sessions;
  }

  /** Gives each of these senders a limit of its own from now on. */
  void know(AddressSet loadBalancers) {
    limits = new SenderLimits(loadBalancers, PER_SECOND);
  }

  /** Whether a datagram, or what a packet carries, begins like a path probe. */
  static boolean isProbe(ByteBuffer bytes, int offset, int length) {
    return PathProbeGate.begins(PREFIX, bytes, offset, length);
  }

  /** Answers a datagram of message {@code index}, which a load balancer sent. */
  Disposition answer(ReceiveBatch batch, int index, int offset, int length) {
    if (!limits.take(batch.senderHigh(index), batch.senderLow(index), System.nanoTime())) {
      return Disposition.STRANGER;
    }
    Optional<String> token = PathProbe.token(batch.bytes(), offset, length);
    if (token.isEmpty()) {
      return Disposition.MALFORMED;
    }
    InetAddress sender = batch.sender(index);
    reply(token.get(), SocketAddress.of(sender, batch.senderPort(index)));
    listener.received(sender, token.get());
    return outcome;
  }

  private void reply(String token, SocketAddress to) {
    byte[] reply = PathProbe.reply(token);
    memory.nativeBytes().put(0, reply);
    replies.add(datagram.set(memory.address(), reply.length), to, 0);
    replies.flush(socket, this);
  }

  @Override
  public void sent(int index, int datagrams, int bytes) {
    outcome = Disposition.PATH_PROBE;
    answered.lazySet(answered.getPlain() + 1);
  }

  @Override
  public void failed(int index, int datagrams, int errno) {
    outcome = Disposition.SEND_FAILED;
  }

  /** How many probes were answered. */
  long answered() {
    return answered.get();
  }

  @Override
  public void close() {
    replies.close();
    memory.close();
  }
}
