package dev.caplance.backend.health;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The checkers against applications that answer, refuse, hang, and talk nonsense. */
class CheckerTest {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration IMPATIENCE = Duration.ofMillis(200);

  private ServerSocket server;
  private final List<Socket> accepted = new ArrayList<>();

  @BeforeEach
  void listen() throws IOException {
    server = new ServerSocket(0, 5, IpAddresses.parse("127.0.0.1"));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
    for (Socket socket : accepted) {
      socket.close();
    }
  }

  private InetSocketAddress address() {
    return new InetSocketAddress(IpAddresses.parse("127.0.0.1"), server.getLocalPort());
  }

  private String name() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  /** Answers one connection with this text and leaves it open; gives the lines of the request. */
  private BlockingQueue<String> answer(String text, boolean close) {
    BlockingQueue<String> request = new LinkedBlockingQueue<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                Socket socket = server.accept();
                accepted.add(socket);
                byte[] bytes = new byte[4096];
                int length = socket.getInputStream().read(bytes);
                socket.getOutputStream().write(text.getBytes(ISO_8859_1));
                if (close) {
                  socket.close();
                }
                request.add(new String(bytes, 0, Math.max(0, length), ISO_8859_1));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return request;
  }

  private Optional<String> attempt(CheckTarget target) throws InterruptedException {
    return Checker.of(target, PATIENCE).attempt();
  }

  private CheckTarget.Http http(int expected) {
    return http(expected, null);
  }

  private CheckTarget.Http http(int expected, AnswerMatch answer) {
    return new CheckTarget.Http(
        address(),
        "/health?deep=1",
        StatusCodes.of(expected),
        Optional.empty(),
        Optional.ofNullable(answer),
        Optional.empty());
  }

  @Test
  void tcpSucceedsWhereSomebodyListens() throws Exception {
    assertThat(attempt(new CheckTarget.Tcp(address()))).isEmpty();
  }

  @Test
  void tcpSaysThatNobodyListens() throws Exception {
    CheckTarget target = new CheckTarget.Tcp(address());
    server.close();
    assertThat(attempt(target)).contains("tcp " + name() + ": connection refused");
  }

  @Test
  void httpAsksForThePathAndReadsTheStatus() throws Exception {
    BlockingQueue<String> request = answer("HTTP/1.1 204 No Content\r\n\r\n", false);

    assertThat(attempt(http(204))).isEmpty();
    assertThat(request.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS).lines())
        .containsExactlyInAnyOrder(
            "GET /health?deep=1 HTTP/1.1",
            "Host: " + name(),
            "User-Agent: caplance",
            "Accept: */*",
            "Connection: close",
            "Content-Length: 0",
            "");
  }

  @Test
  void httpAsksForTheHost() throws Exception {
    BlockingQueue<String> request = answer("HTTP/1.1 200 OK\r\n\r\n", false);
    CheckTarget.Http plain = http(200);
    Optional<String> host = Optional.of("www.example.com");

    assertThat(
            attempt(
                new CheckTarget.Http(
                    address(), "/", plain.expected(), host, Optional.empty(), Optional.empty())))
        .isEmpty();
    assertThat(request.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS).lines())
        .contains("Host: www.example.com")
        .filteredOn(line -> line.startsWith("Host:"))
        .hasSize(1);
  }

  /** RFC 9110, 15.2: an answer of 1xx is not the final one, and any client may get it. */
  @ParameterizedTest
  @ValueSource(strings = {"100 Continue", "102 Processing", "103 Early Hints"})
  void httpPassesOverInterimAnswers(String interim) throws Exception {
    String both = "HTTP/1.1 " + interim + "\r\nLink: </x>\r\n\r\n";
    answer(both + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false);
    assertThat(attempt(http(200))).isEmpty();
    answer(both + both + "HTTP/1.1 503 Sick\r\nContent-Length: 0\r\n\r\n", false);
    assertThat(attempt(http(200)).orElseThrow()).endsWith(" answered 503, expected 200");
  }

  @Test
  void httpTakesSeveralStatuses() throws Exception {
    StatusCodes codes =
        new StatusCodes(
            List.of(StatusCodes.Range.parse("200"), StatusCodes.Range.parse("301-308")));
    CheckTarget target =
        new CheckTarget.Http(
            address(), "/", codes, Optional.empty(), Optional.empty(), Optional.empty());
    answer("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", false);
    assertThat(attempt(target)).isEmpty();
    answer("HTTP/1.1 204 No Content\r\n\r\n", false);
    assertThat(attempt(target))
        .contains("http " + name() + "/ answered 204, expected 200 or 301-308");
  }

  @ParameterizedTest
  @CsvSource({
    "CONTAINS, läuft, ''",
    "CONTAINS, laeuft, ' answered 200 with no ''laeuft'' in it'",
    "MATCHES, l.uft$, ''",
    "MATCHES, ^l.uft, ' answered 200 with no match of ''^l.uft'' in it'",
    "CONTAINS_HEX, 6cc3a4, ''",
  })
  void httpLooksAtTheBody(AnswerMatch.Kind kind, String text, String problem) throws Exception {
    byte[] body = "alles läuft".getBytes(UTF_8);
    answer(
        "HTTP/1.1 200 OK\r\nContent-Length: "
            + body.length
            + "\r\n\r\n"
            + new String(body, ISO_8859_1),
        false);
    assertThat(attempt(http(200, new AnswerMatch(kind, text))).orElse(""))
        .isEqualTo(problem.isEmpty() ? "" : "http " + name() + "/health?deep=1" + problem);
  }

  @Test
  void httpReadsOnlyTheBeginningOfTheBody() throws Exception {
    String head = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    String start = "x".repeat(CheckTarget.Http.MAX_BODY - 2);
    answer(head + start + "ok...", false);
    assertThat(attempt(http(200, new AnswerMatch(AnswerMatch.Kind.CONTAINS, "xok")))).isEmpty();
    answer(head + start + "-ok...", false);
    assertThat(attempt(http(200, new AnswerMatch(AnswerMatch.Kind.CONTAINS, "ok"))).orElseThrow())
        .endsWith("with no 'ok' in it");
    answer(head, false);
    assertThat(attempt(http(200))).isEmpty();
  }

  /** What keeps a connection open may not serve the next check, which must prove that one opens. */
  @Test
  void httpConnectsAnewForEachAttempt() throws Exception {
    Checker checker = Checker.of(http(200), PATIENCE);
    String answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n";
    answer(answer, false);
    assertThat(checker.attempt()).isEmpty();
    server.close();
    assertThat(checker.attempt()).contains("http " + name() + "/health?deep=1: connection refused");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "HTTP/1.1 500 Internal Server Error\\r\\n\\r\\n | answered 500, expected 200",
        "HTTP/1.0 302 Found\\n\\n | answered 302, expected 200",
        "HTTP/1.1 204\\r\\n\\r\\n | answered 204, expected 200",
        "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3 and more\\r\\n"
            + " | answered 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3 a...', which is not HTTP/1.1",
        "HTTP/2 200\\r\\n\\r\\n | answered 'HTTP/2 200', which is not HTTP/1.1",
      })
  void httpSaysWhatWasAnswered(String answer, String problem) throws Exception {
    answer(answer.replace("\\r", "\r").replace("\\n", "\n"), false);
    assertThat(attempt(http(200))).contains("http " + name() + "/health?deep=1 " + problem);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n"})
  void httpSaysThatNothingWasAnswered(String text) throws Exception {
    answer(text, true);
    assertThat(attempt(http(200)))
        .contains("http " + name() + "/health?deep=1: the connection was closed without an answer");
  }

  @Test
  void httpDoesNotReadForEver() throws Exception {
    answer("x".repeat(500_000), false);
    assertThat(attempt(http(200)).orElseThrow()).contains("header size too big");
  }

  /** The kernel accepts the connection; nobody answers on it. */
  @Test
  void httpWaitsNoLongerThanTheTimeout() throws Exception {
    assertThat(Checker.of(http(200), IMPATIENCE).attempt())
        .contains("http " + name() + "/health?deep=1: no answer within 200 ms");
  }

  @Test
  void anAttemptCanBeInterrupted() throws Exception {
    BlockingQueue<String> end = new LinkedBlockingQueue<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                end.add("ended with " + attempt(http(200)));
              } catch (InterruptedException e) {
                end.add("interrupted");
              }
            });
    thread.start();
    accepted.add(server.accept());
    thread.interrupt();
    assertThat(end.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("interrupted");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "exit 0 | ",
        "echo fine; exit 0 | ",
        "exit 7 | command /bin/sh ended with exit code 7",
        "echo; echo ' replica is behind '; echo more; exit 1 | command /bin/sh: replica is behind",
        "echo gone >&2; exit 1 | command /bin/sh: gone",
        "head -c 1000000 /dev/zero; exit 0 | ",
        "kill -9 $$ | command /bin/sh ended with exit code 137",
      })
  void commandSaysHowItEnded(String script, String problem) throws Exception {
    assertThat(attempt(new CheckTarget.Command(List.of("/bin/sh", "-c", script))))
        .isEqualTo(Optional.ofNullable(problem));
  }

  @Test
  void commandSaysThatItCannotBeRun() throws Exception {
    assertThat(attempt(new CheckTarget.Command(List.of("/no/such/program"))).orElseThrow())
        .startsWith("command /no/such/program cannot be run: ")
        .contains("No such file");
  }

  /** The child has the output open as well; that must not be waited for either. */
  @Test
  void commandIsKilledWithItsChildrenAfterTheTimeout(@TempDir Path directory) throws Exception {
    Path pid = directory.resolve("pid");
    String script = "sleep 1000 & echo $! > " + pid + "; wait";
    CommandChecker checker =
        new CommandChecker(List.of("/bin/sh", "-c", script), Duration.ofSeconds(1));
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              assertThat(checker.attempt()).contains("command /bin/sh did not end within 1000 ms");
              return Files.exists(pid) && !Files.readString(pid).isBlank();
            });
    long child = Long.parseLong(Files.readString(pid).strip());
    await()
        .atMost(PATIENCE)
        .until(() -> ProcessHandle.of(child).map(handle -> !handle.isAlive()).orElse(true));
  }

  /** Its parent is gone, so that it is nobody's descendant any more. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void commandLeavesNoChildrenBehind(int code, @TempDir Path directory) throws Exception {
    Path pid = directory.resolve("pid");
    String script = "(sleep 1000 & echo $! > " + pid + "); exit " + code;
    assertThat(attempt(new CheckTarget.Command(List.of("/bin/sh", "-c", script))).isEmpty())
        .isEqualTo(code == 0);
    long child = Long.parseLong(Files.readString(pid).strip());
    await()
        .atMost(PATIENCE)
        .until(() -> ProcessHandle.of(child).map(handle -> !handle.isAlive()).orElse(true));
  }

  @Test
  void commandDoesNotWaitForAChildThatStays(@TempDir Path directory) throws Exception {
    Path pid = directory.resolve("pid");
    String script = "setsid sleep 1000 & echo $! > " + pid + "; echo no; exit 1";
    assertThat(attempt(new CheckTarget.Command(List.of("/bin/sh", "-c", script))))
        .contains("command /bin/sh: no");
    ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
        .ifPresent(ProcessHandle::destroyForcibly);
  }
}
