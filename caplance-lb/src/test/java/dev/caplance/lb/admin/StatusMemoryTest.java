package dev.caplance.lb.admin;

import static dev.caplance.lb.admin.ForwardingFixture.HEALTHY;
import static dev.caplance.lb.admin.ForwardingFixture.table;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.control.ControlServer;
import dev.caplance.lb.dataplane.FakeDataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendRegistry;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.lb.registry.ServedServices;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A daemon with the heap of {@code scripts/caplance} answers, however many backends it has. */
@Timeout(120)
class StatusMemoryTest {

  private static final int BACKENDS = 10_000;
  private static final int CLIENTS = 30;

  @TempDir private Path directory;

  private static long answerLength(Path socket) {
    byte[] request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n".getBytes(UTF_8);
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      channel.write(ByteBuffer.wrap(request));
      ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
      long length = 0;
      while (length == 0 || buffer.get(buffer.position() - 1) != '\n') {
        buffer.clear();
        int n = channel.read(buffer);
        if (n < 0) {
          throw new IOException("the daemon has ended after " + length + " bytes");
        }
        length += n;
      }
      return length;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void manyClientsAtOnceGetTheStatusOfManyBackends() throws Exception {
    Path socket = directory.resolve("lb.sock");
    Process daemon =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx64m",
                "-XX:SurvivorRatio=4",
                "-XX:+ExitOnOutOfMemoryError",
                "-cp",
                System.getProperty("java.class.path"),
                Program.class.getName(),
                socket.toString())
            .redirectErrorStream(true)
            .start();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try (BufferedReader out = daemon.inputReader()) {
      assertThat(out.lines().anyMatch("ready"::equals)).isTrue();
      List<CompletableFuture<Long>> lengths =
          IntStream.range(0, CLIENTS)
              .mapToObj(i -> CompletableFuture.supplyAsync(() -> answerLength(socket), clients))
              .toList();
      for (CompletableFuture<Long> length : lengths) {
        assertThat(length.get()).isGreaterThan(BACKENDS * 300L);
      }
    } finally {
      clients.shutdownNow();
      daemon.destroyForcibly();
    }
  }

  /** The control socket of a load balancer with its table, and nothing behind it. */
  static final class Program {

    private Program() {}

    public static void main(String[] arguments) throws Exception {
      List<BackendRegistry.Entry> entries =
          IntStream.range(0, BACKENDS).mapToObj(Program::entry).toList();
      ForwardingTable table =
          table(
              ForwardingFixture.service(
                  "web",
                  "tcp/80",
                  Service.State.BALANCING,
                  entries.stream()
                      .map(BackendRegistry.Entry::backend)
                      .toArray(BackendView[]::new)));
      RegisteredBackends backends =
          new RegisteredBackends(() -> CompletableFuture.completedFuture(List.copyOf(entries)));
      new ControlServer(
              Path.of(arguments[0]),
              Map.of(
                  "status",
                  new StatusMethod("0.1.0", () -> table, backends, new FakeDataplane(), List::of)))
          .start();
      System.out.println("ready");
      Thread.currentThread().join();
    }

    private static BackendRegistry.Entry entry(int i) {
      InetAddress address = IpAddresses.parse("10.1." + i / 250 + "." + (1 + i % 250));
      return new BackendRegistry.Entry(
          new BackendView(
              new Target(i, 1, "backend-with-a-long-name-" + i, 1, address, 1500, address),
              2,
              Intent.ACTIVE,
              HEALTHY,
              BackendView.Path.PROVEN,
              false,
              true,
              new ServedServices(false, Set.of("web")),
              new InetSocketAddress(address, 41234),
              Instant.EPOCH),
          Duration.ofMillis(i),
          Optional.of(Duration.ofMillis(i)));
    }
  }
}
