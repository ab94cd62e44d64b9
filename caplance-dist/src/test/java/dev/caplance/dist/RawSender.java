package dev.caplance.dist;

import dev.caplance.linux.Datagram;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.SendBatch;
import dev.caplance.linux.SocketAddress;
import java.io.IOException;

/** Sends whole IP packets, whatever source they claim, and fails when one cannot be sent. */
final class RawSender implements SendBatch.Listener, AutoCloseable {

  private final LinuxSocket socket;
  private final SendBatch batch;
  private final Datagram datagram = new Datagram();

  RawSender(boolean ipv6, int capacity) throws IOException {
    socket = ipv6 ? LinuxSocket.rawIpv6() : LinuxSocket.rawIpv4();
    batch = new SendBatch(capacity, SendBatch.DATAGRAM_PIECES);
  }

  void add(long address, int length, SocketAddress to) {
    if (batch.add(datagram.set(address, length), to, 0) == SendBatch.FULL) {
      throw new IllegalStateException("the batch is full");
    }
  }

  void flush() {
    batch.flush(socket, this);
  }

  @Override
  public void sent(int index, int datagrams, int bytes) {}

  @Override
  public void failed(int index, int datagrams, int errno) {
    throw new IllegalStateException("error " + errno);
  }

  @Override
  public void close() {
    socket.close();
    batch.close();
  }
}
