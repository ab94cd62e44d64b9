package dev.caplance.control;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class RequestHandlerTest {

  private static final Caller PEER = new Caller(1000, 100, 4242);

  private final List<JsonObject> greeted = new ArrayList<>();
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  private final RequestHandler handler =
      new RequestHandler(
          Map.of(
              "greet", (params, peer) -> greet(params),
              "nothing", (params, peer) -> null,
              "who", (params, peer) -> new JsonPrimitive(peer.toString()),
              "pause", changing((params, peer) -> JsonNull.INSTANCE),
              "refuse", changing((params, peer) -> refuse()),
              "break",
                  (params, peer) -> {
                    throw new IllegalStateException("out of luck");
                  }),
          Duration.ofSeconds(10));

  private static ControlMethod changing(ControlMethod method) {
    return new ControlMethod() {
      @Override
      public Object call(JsonObject params, Caller caller)
          throws ControlException, InterruptedException {
        return method.call(params, caller);
      }

      @Override
      public boolean changesState() {
        return true;
      }
    };
  }

  private JsonElement greet(JsonObject params) {
    greeted.add(params);
    return new JsonPrimitive("hello");
  }

  private static JsonElement refuse() throws ControlException {
    throw new ControlException(ControlException.REFUSED, "web-1 is already paused");
  }

  @BeforeEach
  void listen() {
    logged.start();
    logger().setLevel(Level.INFO);
    logger().addAppender(logged);
  }

  @AfterEach
  void stopListening() {
    logger().detachAppender(logged);
    logger().setLevel(null);
  }

  private static Logger logger() {
    return (Logger) LoggerFactory.getLogger(RequestHandler.class);
  }

  private String answer(String line) {
    byte[] answer = answer(line.getBytes(UTF_8));
    return answer.length == 0 ? null : new String(answer, UTF_8);
  }

  private byte[] answer(byte[] line) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      handler.respond(line, PEER, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "1 | 1",
        "-7 | -7",
        "0 | 0",
        "1.50 | 1.50",
        "12345678901234567890 | 12345678901234567890",
        "1e400 | 1e400",
        "null | null",
        "\"\" | \"\"",
        "\"1\" | \"1\"",
        "\"a \\u00e4 \\\" b\" | \"a ä \\\" b\"",
      })
  void answersWithTheIdOfTheRequest(String id, String answered) {
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"method\":\"greet\"}"))
        .isEqualTo("{\"jsonrpc\":\"2.0\",\"result\":\"hello\",\"id\":" + answered + "}\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{} | null | the member \"jsonrpc\" must be \"2.0\"",
        "{\"jsonrpc\":\"1.0\",\"id\":4,\"method\":\"greet\"} | 4 "
            + "| the member \"jsonrpc\" must be \"2.0\"",
        "{\"jsonrpc\":2.0,\"id\":4,\"method\":\"greet\"} | 4 "
            + "| the member \"jsonrpc\" must be \"2.0\"",
        "{\"jsonrpc\":\"2.0\",\"id\":4} | 4 | the member \"method\" must be a string",
        "{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":\"bar\"} | null "
            + "| the member \"method\" must be a string",
        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":null} | \"x\" "
            + "| the member \"method\" must be a string",
        "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"greet\"} | null "
            + "| the member \"id\" must be a string, a number or null",
        "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"greet\"} | null "
            + "| the member \"id\" must be a string, a number or null",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"greet\"} | null "
            + "| the member \"id\" must be a string, a number or null",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\",\"params\":null} | 1 "
            + "| the member \"params\" must be an object",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\",\"params\":7} | 1 "
            + "| the member \"params\" must be an object",
        "17 | null | a request is an object",
        "\"pause\" | null | a request is an object",
        "null | null | a request is an object",
        "[] | null | batches are not supported; send one request per line",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"}] | null "
            + "| batches are not supported; send one request per line",
      })
  void saysWhatIsWrongWithWhatIsNoRequest(String line, String id, String problem) {
    assertThat(answer(line))
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request: "
                + problem.replace("\"", "\\\"")
                + "\"},\"id\":"
                + id
                + "}\n");
    assertThat(greeted).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"} {}",
        "{jsonrpc:\"2.0\",id:1,method:\"greet\"}",
        "{'jsonrpc':'2.0','id':1,'method':'greet'}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\",}",
        "{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"greet\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":NaN,\"method\":\"greet\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gr\teet\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":greet}",
        "{\"jsonrpc\"=\"2.0\";\"id\"=1;\"method\"=\"greet\"}",
        "/* hello */ {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"}",
        ")]}'\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"}",
        "GET / HTTP/1.1\r",
      })
  void refusesWhatIsNotOneValueOfJson(String line) {
    assertThat(answer(line))
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,"
                + "\"message\":\"Parse error: the line is not one JSON value\"},\"id\":null}\n");
    assertThat(greeted).isEmpty();
  }

  @Test
  void refusesBytesThatAreNotUtf8() {
    byte[] latin1 = "{\"jsonrpc\":\"2.0\",\"id\":\"ä\",\"method\":\"greet\"}".getBytes(ISO_8859_1);

    assertThat(new String(answer(latin1), UTF_8)).contains("\"code\":-32700");
  }

  @Test
  void refusesNestingWithoutEnd() {
    assertThat(answer("[".repeat(60_000))).contains("\"code\":-32700");
    assertThat(
            answer(
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\",\"params\":"
                    + "{\"a\":".repeat(10_000)))
        .contains("\"code\":-32700");
  }

  @Test
  void takesSpaceAroundAndWithinTheValue() {
    assertThat(answer(" { \"method\" : \"greet\", \"id\": 1, \"jsonrpc\": \"2.0\" }\t\r"))
        .isEqualTo("{\"jsonrpc\":\"2.0\",\"result\":\"hello\",\"id\":1}\n");
  }

  @Test
  void namesTheMethodsThatThereAre() {
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"drain\"}"))
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found: this"
                + " daemon has break, greet, nothing, pause, refuse, who\"},\"id\":2}\n");
  }

  @Test
  void passesTheParametersOn() {
    answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\",\"params\":{\"name\":\"b1\"}}");
    answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\",\"params\":{}}");
    answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"}");

    JsonObject named = new JsonObject();
    named.addProperty("name", "b1");
    assertThat(greeted).containsExactly(named, new JsonObject(), new JsonObject());
  }

  @Test
  void refusesParametersByPosition() {
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\",\"params\":[1]}"))
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32602,\"message\":\"Invalid params:"
                + " parameters are named; send an object\"},\"id\":1}\n");
    assertThat(greeted).isEmpty();
  }

  @Test
  void answersNothingToNotifications() {
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"method\":\"greet\"}")).isNull();
    assertThat(greeted).hasSize(1);
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"method\":\"refuse\"}")).isNull();
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"method\":\"break\"}")).isNull();
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"method\":\"unknown\"}")).isNull();
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"method\":\"greet\",\"params\":[1]}")).isNull();
  }

  @Test
  void passesOnWhatTheMethodSays() {
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"refuse\"}"))
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"web-1 is already paused\"},"
                + "\"id\":\"a\"}\n");
  }

  @Test
  void aMethodThatBreaksIsAnErrorOfThatCallOnly() {
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"break\"}"))
        .isEqualTo(
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"Internal error:"
                + " java.lang.IllegalStateException: out of luck; see the daemon's log\"},"
                + "\"id\":1}\n");
    assertThat(answer("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"nothing\"}"))
        .isEqualTo("{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":2}\n");
  }

  @Test
  void anErrorInAMethodIsAnErrorOfThatCallOnly() throws IOException {
    RequestHandler overflowing =
        new RequestHandler(
            Map.of(
                "recurse",
                (params, peer) -> {
                  throw new StackOverflowError("too deep");
                }),
            Duration.ofSeconds(10));
    byte[] request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"recurse\"}".getBytes(UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    overflowing.respond(request, PEER, out);
    assertThat(out.toString(UTF_8))
        .contains("Internal error: java.lang.StackOverflowError: too deep; see the daemon's log");
  }

  @Test
  void logsWhoChangedSomethingAndWhatCameOfIt() {
    answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pause\"}");
    answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"refuse\"}");
    answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"greet\"}");

    assertThat(logged.list)
        .filteredOn(event -> event.getLevel().levelStr.equals("INFO"))
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "control: pause by uid 1000, gid 100, pid 4242: done",
            "control: refuse by uid 1000, gid 100, pid 4242: web-1 is already paused");
  }

  /** Requests with random damage: each gets one line that is an answer, or was a notification. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void noLineMakesItFail(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    String[] pieces = {
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "\"",
      "\\",
      "\\u",
      "\"jsonrpc\":\"2.0\"",
      "\"id\":",
      "null",
      "\"method\":",
      "\"greet\"",
      "\"who\"",
      "\"params\":",
      "1",
      "-",
      "e",
      ".",
      "9".repeat(400),
      " ",
      "\r",
      "\u0000",
      "ä",
      "\ud83d\ude00",
      "true",
      "NaN",
      "//",
      "#",
    };
    String whole = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"who\",\"params\":{\"a\":[1,{}]}}";
    for (int i = 0; i < 5_000; i++) {
      byte[] line;
      if (random.nextBoolean()) {
        line = whole.getBytes(UTF_8);
        for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
          line[random.nextInt(line.length)] = (byte) random.nextInt(256);
        }
      } else {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(20); n > 0; n--) {
          text.append(pieces[random.nextInt(pieces.length)]);
        }
        line = text.toString().getBytes(UTF_8);
      }

      byte[] answer = answer(line);

      if (answer.length > 0) {
        JsonObject object = JsonRpc.parse(answer).getAsJsonObject();
        assertThat(object.has("result")).isNotEqualTo(object.has("error"));
        assertThat(object.has("id")).isTrue();
        assertThat(new String(answer, UTF_8).indexOf('\n'))
            .isEqualTo(answer.length == 0 ? -1 : new String(answer, UTF_8).length() - 1);
      }
    }
  }
}
