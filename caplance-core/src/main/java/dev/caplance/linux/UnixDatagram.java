package dev.caplance.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Sends single datagrams to Unix-domain sockets (unix(7)), which the JDK cannot. */
public final class UnixDatagram {

  private static final int PATH_OFFSET = 2;
  private static final int MAX_PATH = 108;

  private UnixDatagram() {}

  /**
   * Sends one datagram. Any thread may call.
   *
   * @param address a path, or {@code @name} for the abstract name space
   * @throws IOException when the address is too long or nobody listens there
   */
  public static void send(String address, byte[] message) throws IOException {
    byte[] path = address.getBytes(StandardCharsets.UTF_8);
    if (path.length == 0 || path.length >= MAX_PATH) {
      throw new IOException("a Unix socket's address has 1 to 107 bytes, not " + path.length);
    }
    if (path[0] == '@') {
      path[0] = 0;
    }
    int fd = Libc.socket(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
    if (fd < 0) {
      throw LinuxException.last("socket(unix)");
    }
    try (NativeMemory memory = NativeMemory.allocate(PATH_OFFSET + MAX_PATH + message.length)) {
      ByteBuffer bytes = memory.nativeBytes();
      bytes.putShort(0, (short) Libc.AF_UNIX);
      bytes.put(PATH_OFFSET, path);
      int data = PATH_OFFSET + MAX_PATH;
      bytes.put(data, message);
      long sent =
          Libc.sendto(
              fd,
              memory.address() + data,
              message.length,
              0,
              memory.address(),
              PATH_OFFSET + path.length);
      if (sent < 0) {
        throw LinuxException.last("sendto(" + address + ")");
      }
    } finally {
      Libc.close(fd);
    }
  }
}
