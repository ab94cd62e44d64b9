package dev.caplance.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ControlServerTest {

  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(200);
  private static final JsonObject NONE = new JsonObject();
  private static final String PING = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
  private static final String PONG = "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":1}\n";

  @TempDir Path directory;

  private final List<ControlServer> servers = new ArrayList<>();
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private final CyclicBarrier both = new CyclicBarrier(2);
  private final Map<String, ControlMethod> methods =
      Map.of(
          "ping", (params, peer) -> new JsonPrimitive("pong"),
          "peer", (params, peer) -> peer(peer),
          "big", (params, peer) -> big(params.get("items").getAsInt()),
          "meet", (params, peer) -> meet(),
          "wait", (params, peer) -> waitForRelease(),
          "turn", inTurn(() -> new JsonPrimitive("done")),
          "long turn", inTurn(this::waitForRelease),
          "big turn", inTurn(() -> big(1_000_000)));

  private Path socket;

  @BeforeEach
  void choosePath() {
    socket = directory.resolve("backend.sock");
  }

  @AfterEach
  void stop() {
    released.countDown();
    servers.forEach(ControlServer::close);
  }

  private static ControlMethod inTurn(Callable<Object> work) {
    return new ControlMethod() {
      @Override
      public Object call(JsonObject params, Caller caller) throws InterruptedException {
        try {
          return work.call();
        } catch (InterruptedException | RuntimeException e) {
          throw e;
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }

      @Override
      public boolean takesTurns() {
        return true;
      }
    };
  }

  private static JsonElement peer(Caller caller) {
    JsonArray ids = new JsonArray();
    ids.add(caller.uid());
    ids.add(caller.gid());
    ids.add(caller.pid());
    return ids;
  }

  private static JsonElement big(int items) {
    JsonArray array = new JsonArray();
    for (int i = 0; i < items; i++) {
      array.add("item " + i);
    }
    return array;
  }

  private JsonElement meet() throws InterruptedException {
    try {
      both.await();
    } catch (java.util.concurrent.BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
    return JsonNull.INSTANCE;
  }

  private JsonElement waitForRelease() throws InterruptedException {
    entered.countDown();
    released.await();
    return new JsonPrimitive("released");
  }

  private ControlServer start(ControlServer server) throws IOException {
    servers.add(server);
    server.start();
    return server;
  }

  private ControlServer start() throws IOException {
    return start(new ControlServer(socket, methods));
  }

  private ControlServer start(int clients, int lineBytes, Duration idle) throws IOException {
    ControlServer.Limits limits = new ControlServer.Limits(clients, lineBytes, idle, LONG);
    return start(new ControlServer(socket, methods, limits, "caplance"));
  }

  private ControlClient connect() throws IOException {
    return ControlClient.connect(socket, LONG);
  }

  private SocketChannel raw() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(socket));
  }

  private static void send(SocketChannel channel, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Everything until the server closes. */
  private static String readAll(SocketChannel channel) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocate(8192);
    while (channel.read(buffer) >= 0) {
      all.write(buffer.array(), 0, buffer.position());
      buffer.clear();
    }
    return all.toString(UTF_8);
  }

  private void assertServes() {
    try (ControlClient client = connect()) {
      assertThat(client.call("ping", NONE, LONG)).isEqualTo(new JsonPrimitive("pong"));
    } catch (IOException | ControlException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void answersInOrderAndClosesWhenTheClientHasSaidAll() throws IOException {
    start();
    try (SocketChannel client = raw()) {
      send(client, PING + "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\nnonsense\n" + PING);
      client.shutdownOutput();

      assertThat(readAll(client))
          .isEqualTo(
              PONG
                  + "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error: the"
                  + " line is not one JSON value\"},\"id\":null}\n"
                  + PONG);
    }
  }

  @Test
  void aRequestThatWasCutOffDoesNothing() throws IOException {
    start();
    try (SocketChannel client = raw()) {
      send(client, PING.stripTrailing());
      client.shutdownOutput();

      assertThat(readAll(client)).isEmpty();
    }
  }

  @Test
  void ownerAndGroupMayConnectAndNobodyElse() throws Exception {
    PosixFileAttributes ours = attributes(directory);
    String group = ours.owner().getName().equals("root") ? "daemon" : ours.group().getName();
    start(new ControlServer(socket, methods, ControlServer.Limits.DEFAULT, group));

    PosixFileAttributes attributes = attributes(socket);
    assertThat(PosixFilePermissions.toString(attributes.permissions())).isEqualTo("rw-rw----");
    assertThat(attributes.group().getName()).isEqualTo(group);
    assertServes();
  }

  @Test
  void servesWithoutTheGroupToo() throws IOException {
    start(new ControlServer(socket, methods, ControlServer.Limits.DEFAULT, "no-such-group"));

    assertThat(PosixFilePermissions.toString(attributes(socket).permissions()))
        .isEqualTo("rw-rw----");
    assertServes();
  }

  private static PosixFileAttributes attributes(Path path) throws IOException {
    return Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
  }

  @Test
  void knowsItsPeer() throws Exception {
    start();
    try (ControlClient client = connect()) {
      JsonArray ids = client.call("peer", NONE, LONG).getAsJsonArray();

      assertThat(ids.get(0).getAsInt()).isEqualTo(Files.getAttribute(directory, "unix:uid"));
      assertThat(ids.get(1).getAsInt()).isEqualTo(Files.getAttribute(directory, "unix:gid"));
      assertThat(ids.get(2).getAsLong()).isEqualTo(ProcessHandle.current().pid());
    }
  }

  @Test
  void servesTwoClientsAtOnce() throws Exception {
    start();
    CompletableFuture<JsonElement> other = CompletableFuture.supplyAsync(() -> call("meet"));
    assertThat(call("meet")).isEqualTo(JsonNull.INSTANCE);
    assertThat(other.join()).isEqualTo(JsonNull.INSTANCE);
  }

  private JsonElement call(String method) {
    try (ControlClient client = connect()) {
      return client.call(method, NONE, LONG);
    } catch (IOException | ControlException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void givesBigAnswersWhole() throws Exception {
    start();
    JsonObject params = new JsonObject();
    params.addProperty("items", 500_000);
    try (ControlClient client = connect()) {
      assertThat(client.call("big", params, LONG)).isEqualTo(big(500_000));
      assertThat(client.call("ping", NONE, LONG)).isEqualTo(new JsonPrimitive("pong"));
    }
  }

  @Test
  void refusesALineThatIsTooLongAndReadsTheNext() throws IOException {
    start(4, 1024, LONG);
    try (SocketChannel client = raw()) {
      send(client, "{" + " ".repeat(100_000) + "}\n" + PING);
      client.shutdownOutput();

      assertThat(readAll(client))
          .isEqualTo(
              "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request: a"
                  + " line is longer than 1024 bytes\"},\"id\":null}\n"
                  + PONG);
    }
  }

  @Test
  void refusesMoreClientsThanItTakesAndSaysSo() throws Exception {
    start(2, 1024, LONG);
    try (ControlClient first = connect();
        ControlClient second = connect()) {
      first.call("ping", NONE, LONG);
      second.call("ping", NONE, LONG);

      try (ControlClient third = connect()) {
        assertThatThrownBy(() -> third.call("ping", NONE, LONG))
            .isInstanceOf(ControlException.class)
            .hasMessage("2 clients are already connected; try again later")
            .extracting(e -> ((ControlException) e).code())
            .isEqualTo(-32000);
      }
    }
    await().atMost(LONG).untilAsserted(this::assertServes);
  }

  @Test
  void clientsThatSayNothingDoNotKeepTheirPlaces() throws Exception {
    start(2, 1024, SHORT);
    try (SocketChannel silent = raw();
        SocketChannel half = raw()) {
      send(half, "{\"jsonrpc\":");

      assertThat(readAll(silent)).isEmpty();
      assertThat(readAll(half)).isEmpty();
    }
    await().atMost(LONG).untilAsserted(this::assertServes);
  }

  @Test
  void aClientThatTricklesDoesNotKeepItsPlace() throws Exception {
    start(1, 1024, SHORT);
    try (SocketChannel slow = raw()) {
      await()
          .atMost(LONG)
          .pollInterval(Duration.ofMillis(50))
          .until(
              () -> {
                try {
                  send(slow, "x");
                  return false;
                } catch (IOException closed) {
                  return true;
                }
              });
    }
    await().atMost(LONG).untilAsserted(this::assertServes);
  }

  @Test
  void aClientThatDoesNotTakeItsAnswerDoesNotKeepItsPlace() throws Exception {
    start(1, 1024, SHORT);
    try (SocketChannel deaf = raw()) {
      send(
          deaf,
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"big\",\"params\":{\"items\":500000}}\n");

      await().atMost(LONG).untilAsserted(this::assertServes);
    }
  }

  @Test
  void replacesWhatACrashedDaemonLeft() throws IOException {
    try (ServerSocketChannel crashed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      crashed.bind(UnixDomainSocketAddress.of(socket));
    }
    Files.createFile(directory.resolve("backend.sock.new"));
    assertThat(socket).exists();

    start();

    assertServes();
    try (var left = Files.list(directory)) {
      assertThat(left).containsExactly(socket);
    }
  }

  @Test
  void doesNotReplaceALivingDaemon() throws IOException {
    start();
    ControlServer second = new ControlServer(socket, methods);

    assertThatThrownBy(() -> ControlServer.requireFree(socket))
        .hasMessage("another daemon serves " + socket);
    assertThatThrownBy(second::start).hasMessage("another daemon serves " + socket);

    second.close();
    assertServes();
  }

  @Test
  void doesNotReplaceAnOrdinaryFile() throws IOException {
    Files.writeString(socket, "precious");
    ControlServer server = new ControlServer(socket, methods);

    assertThatThrownBy(() -> ControlServer.requireFree(socket))
        .hasMessageContaining("exists and is not a socket; remove it");
    assertThatThrownBy(server::start).hasMessageContaining("exists and is not a socket; remove it");

    server.close();
    assertThat(socket).hasContent("precious");
  }

  @Test
  void saysWhenAPathIsTooLong() {
    Path deep = directory.resolve("x".repeat(120));
    ControlServer server = new ControlServer(deep, methods);

    assertThatThrownBy(server::start)
        .hasMessage(deep + " is too long for a socket: at most 103 bytes");
  }

  @Test
  void makesTheDirectoryWhenItIsMissing() throws IOException {
    socket = directory.resolve("run/backend.sock");
    start();

    assertServes();
  }

  @Test
  void removesItsSocketAndStartsAgain() throws IOException {
    start().close();
    assertThat(socket).doesNotExist();

    start();
    assertServes();
  }

  @Test
  void leavesASocketThatIsNotItsOwn() throws IOException {
    ControlServer first = start();
    Files.delete(socket);
    start();

    first.close();

    assertServes();
  }

  @Test
  void doesNothingWhenItWasStoppedBeforeItStarted() throws IOException {
    ControlServer server = new ControlServer(socket, methods);
    server.close();
    server.start();

    assertThat(socket).doesNotExist();
  }

  @Test
  void answersWhatItIsDoingBeforeItStops() throws Exception {
    ControlServer server = start();
    try (ControlClient client = connect();
        SocketChannel idle = raw()) {
      CompletableFuture<JsonElement> answer = CompletableFuture.supplyAsync(() -> callWait(client));
      entered.await();
      CompletableFuture<Void> stop = CompletableFuture.runAsync(server::close);
      await().atMost(LONG).until(() -> Files.notExists(socket));
      released.countDown();

      assertThat(answer.join()).isEqualTo(new JsonPrimitive("released"));
      assertThat(readAll(idle)).isEmpty();
      stop.join();
    }
  }

  @Test
  void interruptsWhatDoesNotEnd() throws Exception {
    ControlServer server = start();
    try (ControlClient client = connect()) {
      CompletableFuture<JsonElement> answer = CompletableFuture.supplyAsync(() -> callWait(client));
      entered.await();
      server.close();

      assertThat(answer)
          .failsWithin(LONG)
          .withThrowableThat()
          .withMessageContaining("the daemon is stopping");
    }
  }

  private static JsonElement callWait(ControlClient client) {
    try {
      return client.call("wait", NONE, LONG);
    } catch (IOException | ControlException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void survivesWhateverBytesArrive() throws IOException {
    start(8, 1024, SHORT);
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 200; i++) {
      byte[] garbage = new byte[random.nextInt(4000)];
      random.nextBytes(garbage);
      try (SocketChannel client = raw()) {
        client.write(ByteBuffer.wrap(garbage));
      } catch (IOException e) {
        // Refused and closed meanwhile, because eight others were still connected.
      }
    }
    await().atMost(LONG).untilAsserted(this::assertServes);
  }

  @Test
  void callsThatTakeTurnsWaitForEachOtherAndForNothingElse() throws Exception {
    start();
    try (SocketChannel first = raw();
        SocketChannel second = raw()) {
      send(first, PING.replace("ping", "long turn"));
      entered.await();
      send(second, PING.replace("ping", "turn"));
      assertServes();
      released.countDown();
      first.shutdownOutput();
      second.shutdownOutput();
      assertThat(readAll(first)).contains("\"released\"");
      assertThat(readAll(second)).contains("\"done\"");
    }
  }

  @Test
  void aCallThatWaitsForItsTurnTooLongIsRefused() throws Exception {
    ControlServer.Limits limits = new ControlServer.Limits(32, 1024, LONG, SHORT);
    start(new ControlServer(socket, methods, limits, "caplance"));
    try (SocketChannel first = raw();
        ControlClient second = connect()) {
      send(first, PING.replace("ping", "long turn"));
      entered.await();
      assertThatThrownBy(() -> second.call("turn", NONE, LONG))
          .isInstanceOf(ControlException.class)
          .hasMessageStartingWith("the daemon has been busy with the calls of others for ");
    }
  }

  /** The turn ends with the response; a client that does not read it must not keep it. */
  @Test
  void aClientThatDoesNotReadLosesItsTurn() throws Exception {
    start(32, 1024, SHORT);
    try (SocketChannel first = raw()) {
      send(first, PING.replace("ping", "big turn"));
      ByteBuffer some = ByteBuffer.allocate(1);
      first.read(some);
      try (ControlClient second = connect()) {
        assertThat(second.call("turn", NONE, LONG)).isEqualTo(new JsonPrimitive("done"));
      }
      assertThat(readAll(first)).doesNotEndWith("\n");
    }
  }
}
