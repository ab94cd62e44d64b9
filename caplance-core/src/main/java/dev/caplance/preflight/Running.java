package dev.caplance.preflight;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;

/** Whether a daemon runs already, which then has what it needs: its ports and queues. */
public final class Running {

  private Running() {}

  /** A check that is made only while nobody serves this control socket. */
  public static PreflightCheck unless(Path controlSocket, PreflightCheck check) {
    return () -> isServed(controlSocket) ? List.of() : check.look();
  }

  /** Whether somebody serves a control socket. */
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
