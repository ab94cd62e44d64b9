package dev.caplance.preflight;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;

/** Whether the daemon is running already; then it holds its ports and queues itself. */
public final class Running {

  private Running() {}

  /** A check that is skipped while a daemon serves this control socket. */
  public static Preflight.Check unless(Path controlSocket, Preflight.Check check) {
    return () -> isServed(controlSocket) ? List.of() : check.findings();
  }

  /** Whether a daemon serves a control socket. */
  public static boolean isServed(Path controlSocket) {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.configureBlocking(false);
      channel.connect(UnixDomainSocketAddress.of(controlSocket));
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
