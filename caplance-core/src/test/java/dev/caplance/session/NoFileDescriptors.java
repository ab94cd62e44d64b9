package dev.caplance.session;

import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A program for a process that may open only a few files: its listener must wait while there is
 * none left and accept again when there is. Ends with 0 when it does.
 */
final class NoFileDescriptors {

  private static long now;

  private NoFileDescriptors() {}

  public static void main(String[] args) throws IOException {
    List<SocketChannel> accepted = new ArrayList<>();
    EventLoop loop = new EventLoop("listener", () -> now);
    TcpListener listener =
        TcpListener.open(
            loop, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), accepted::add);
    // Classes come from files too: this connection loads them while there still are some.
    SocketChannel first = SocketChannel.open(listener.address());
    loop.schedule(Duration.ZERO, () -> {});
    turn(loop, 10);
    check(accepted.size() == 1, "the first connection was accepted");

    SocketChannel second = SocketChannel.open();
    List<FileInputStream> files = openAllThatCanBe();
    second.connect(listener.address());
    for (int round = 0; round < 3; round++) {
      int idle = turn(loop, 100);
      check(idle >= 95, "the loop waited while no connection could be accepted: " + idle);
      now += TcpListener.PAUSE.toNanos();
    }
    check(accepted.size() == 1, "there was no file descriptor for the second connection");

    for (FileInputStream file : files) {
      file.close();
    }
    turn(loop, 10);
    check(accepted.size() == 2, "the second connection was accepted in the end");
    first.close();
    second.close();
    loop.close();
  }

  /** Turns the loop and says how many of the turns found nothing to do and waited. */
  private static int turn(EventLoop loop, int times) {
    int idle = 0;
    for (int i = 0; i < times; i++) {
      long start = System.nanoTime();
      loop.turn(Duration.ofMillis(1));
      if (System.nanoTime() - start >= 500_000) {
        idle++;
      }
    }
    return idle;
  }

  private static List<FileInputStream> openAllThatCanBe() {
    List<FileInputStream> files = new ArrayList<>();
    try {
      while (true) {
        files.add(new FileInputStream("/dev/null"));
      }
    } catch (IOException e) {
      return files;
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      System.out.println("not so: " + what);
      System.exit(1);
    }
  }
}
