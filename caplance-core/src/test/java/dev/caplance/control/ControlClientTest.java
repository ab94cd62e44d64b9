package dev.caplance.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.caplance.control.ControlConnectionException.Kind;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client against a peer that says exactly what the test tells it to. */
@Timeout(120)
class ControlClientTest {

  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(200);
  private static final JsonObject NONE = new JsonObject();

  @TempDir Path directory;

  private Path socket;
  private ServerSocketChannel server;
  private CompletableFuture<String> request;

  @BeforeEach
  void listen() throws IOException {
    socket = directory.resolve("backend.sock");
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket), 1);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  /** Reads a request and answers with this text, then closes. */
  private void answerWith(String answer) {
    request =
        CompletableFuture.supplyAsync(
            () -> {
              try (SocketChannel client = server.accept()) {
                byte[] request = new LineReader(client, 100_000).readLine(LONG);
                client.write(ByteBuffer.wrap(answer.getBytes(UTF_8)));
                return new String(request, UTF_8);
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
  }

  private static ControlConnectionException failure(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return catchThrowableOfType(ControlConnectionException.class, call);
  }

  @Test
  void sendsTheRequestAndGivesTheResult() throws Exception {
    answerWith("{\"jsonrpc\":\"2.0\",\"result\":\"done\",\"id\":1}\n");
    JsonObject params = new JsonObject();
    params.addProperty("deadline", "5m");
    try (ControlClient client = ControlClient.connect(socket, LONG)) {
      assertThat(client.call("drain", params, LONG)).isEqualTo(new JsonPrimitive("done"));
    }
    assertThat(request.join())
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"drain\",\"params\":{\"deadline\":\"5m\"}}");
  }

  @Test
  void leavesOutParametersThatThereAreNot() throws Exception {
    answerWith("{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}\n");
    try (ControlClient client = ControlClient.connect(socket, LONG)) {
      client.call("pause", NONE, LONG);
    }
    assertThat(request.join()).isEqualTo("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pause\"}");
  }

  @Test
  void givesTheDaemonsErrorAsItIs() throws Exception {
    answerWith(
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"web-1 is already paused\"},"
            + "\"id\":1}\n");
    try (ControlClient client = ControlClient.connect(socket, LONG)) {
      assertThatThrownBy(() -> client.call("pause", NONE, LONG))
          .isInstanceOf(ControlException.class)
          .hasMessage("web-1 is already paused")
          .extracting(e -> ((ControlException) e).code())
          .isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello\n",
        "\n",
        "[]\n",
        "{}\n",
        "{\"jsonrpc\":\"1.0\",\"result\":1,\"id\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"result\":1,\"error\":{\"code\":1,\"message\":\"\"},\"id\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":2}\n",
        "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":null}\n",
        "{\"jsonrpc\":\"2.0\",\"result\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"error\":\"no\",\"id\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"error\":{},\"id\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":\"x\",\"message\":\"\"},\"id\":1}\n",
      })
  void tellsWhatIsNoAnswerFromAnError(String answer) throws Exception {
    answerWith(answer);
    try (ControlClient client = ControlClient.connect(socket, LONG)) {
      assertThat(failure(() -> client.call("pause", NONE, LONG)).kind()).isEqualTo(Kind.PROTOCOL);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{\"jsonrpc\":\"2.0\",\"result\":1"})
  void saysThatTheConnectionBroke(String answer) throws Exception {
    answerWith(answer);
    try (ControlClient client = ControlClient.connect(socket, LONG)) {
      assertThat(failure(() -> client.call("pause", NONE, LONG)).kind()).isEqualTo(Kind.BROKEN);
    }
  }

  @Test
  void doesNotWaitForeverForAnAnswer() throws Exception {
    try (ControlClient client = ControlClient.connect(socket, LONG)) {
      ControlConnectionException failure = failure(() -> client.call("pause", NONE, SHORT));

      assertThat(failure.kind()).isEqualTo(Kind.TIMEOUT);
      assertThat(failure).hasMessage("the daemon at " + socket + " did not answer within 200 ms");
    }
  }

  @Test
  void doesNotWaitForeverForADaemonThatHangs() throws Exception {
    List<ControlClient> waiting = new ArrayList<>();
    try {
      ControlConnectionException failure =
          failure(
              () -> {
                for (int i = 0; i < 10; i++) {
                  waiting.add(ControlClient.connect(socket, SHORT));
                }
              });
      assertThat(failure.kind()).isEqualTo(Kind.TIMEOUT);
    } finally {
      waiting.forEach(ControlClient::close);
    }
  }

  @Test
  void saysThatThereIsNoDaemonWhereThereIsNoSocket() {
    Path absent = directory.resolve("absent/lb.sock");

    ControlConnectionException failure = failure(() -> ControlClient.connect(absent, LONG));

    assertThat(failure.kind()).isEqualTo(Kind.NO_DAEMON);
    assertThat(failure).hasMessage("no daemon is running here: " + absent + " does not exist");
  }

  @Test
  void saysThatThereIsNoDaemonWhereItLeftItsSocket() throws IOException {
    server.close();

    ControlConnectionException failure = failure(() -> ControlClient.connect(socket, LONG));

    assertThat(failure.kind()).isEqualTo(Kind.NO_DAEMON);
    assertThat(failure).hasMessage("no daemon is running here: nothing listens on " + socket);
  }

  @Test
  void saysThatThereIsNoDaemonBehindAnOrdinaryFile() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));

    assertThat(failure(() -> ControlClient.connect(file, LONG)).kind()).isEqualTo(Kind.NO_DAEMON);
  }
}
