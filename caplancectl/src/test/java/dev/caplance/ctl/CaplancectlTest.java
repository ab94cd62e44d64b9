package dev.caplance.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.control.ControlServer;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line against a control server that answers as a daemon would. */
class CaplancectlTest {

  @TempDir Path directory;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private ControlServer server;

  @AfterEach
  void stop() {
    if (server != null) {
      server.close();
    }
  }

  private Path socket() {
    return directory.resolve("test.sock");
  }

  private void serve(String method, ControlMethod implementation) throws IOException {
    server = new ControlServer(socket(), Map.of(method, implementation));
    server.start();
  }

  private void serve(String method, String answer) throws IOException {
    JsonElement json = Samples.json(answer);
    serve(method, (params, peer) -> json);
  }

  private int run(String... args) {
    return Caplancectl.commandLine(Samples.CLOCK)
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }

  private int runOnSocket(String command) {
    return run((command + " --socket " + socket()).split(" "));
  }

  @ParameterizedTest
  @CsvSource({
    "pause, web-1 is paused on 10.0.0.2",
    "resume, web-1 is active on 10.0.0.2",
    "deregister, web-1 is deregistered from 10.0.0.2",
  })
  void saysWhoHasConfirmed(String command, String line) throws IOException {
    serve(
        command,
        """
        {"name": "web-1", "intent": "paused", "loadBalancers": [
          {"address": "10.0.0.2", "port": 1338, "confirmed": true, "answer": "YES"},
          {"address": "10.0.0.3", "port": 1338, "confirmed": true, "answer": "YES"}]}
        """);

    assertThat(runOnSocket(command)).isZero();
    assertThat(out).hasToString(line + "\n" + line.replace("0.0.2", "0.0.3") + "\n");
    assertThat(err).hasToString("");
  }

  /** A daemon that answers draining, and status with one of these after the other. */
  private BlockingQueue<JsonObject> serveDrain(String... drains) throws IOException {
    BlockingQueue<JsonObject> asked = new LinkedBlockingQueue<>();
    Iterator<String> answers = List.of(drains).iterator();
    server =
        new ControlServer(
            socket(),
            Map.of(
                "drain",
                (params, peer) -> {
                  asked.add(params);
                  return Samples.json(
                      """
                      {"name": "web-1", "intent": "draining", "loadBalancers": [
                        {"address": "10.0.0.2", "port": 1338, "confirmed": true}]}
                      """);
                },
                "status",
                (params, peer) ->
                    Samples.json(
                        "{\"name\": \"web-1\", \"intent\": \"paused\", \"drain\": "
                            + answers.next()
                            + "}")));
    server.start();
    return asked;
  }

  private static String drain(String state, int connections, String text) {
    return "{\"state\": \"%s\", \"connections\": %d, \"text\": \"%s\"}"
        .formatted(state, connections, text);
  }

  @ParameterizedTest
  @CsvSource({"drain, null", "drain --deadline 5m, 300000"})
  void drainTellsTheDeadlineAndDoesNotWait(String command, String deadline) throws Exception {
    BlockingQueue<JsonObject> asked = serveDrain();

    assertThat(runOnSocket(command)).isZero();
    assertThat(asked.take()).hasToString("{\"deadlineMillis\":" + deadline + "}");
    assertThat(out).hasToString("web-1 is draining on 10.0.0.2\n");
  }

  @Test
  void drainOfABackendThatDrainsTellsHowFarItIs() throws IOException {
    serve(
        "drain",
        """
        {"name": "web-1", "intent": "draining", "loadBalancers": [],
         "drain": {"state": "draining", "text": "2 connections left, 9s to the deadline"}}
        """);
    assertThat(runOnSocket("drain --deadline 9s")).isZero();
    assertThat(out)
        .hasToString("web-1 is still draining: 2 connections left, 9s to the deadline\n");
  }

  @Test
  void drainShowsWhenTheNumberOfConnectionsChangesAndWaitsForTheEnd() throws IOException {
    serveDrain(
        drain("draining", 2, "2 connections left, 9s to the deadline"),
        drain("draining", 2, "2 connections left, 8s to the deadline"),
        drain("draining", 1, "1 connection left, 7s to the deadline"),
        drain("drained", 0, "all connections are gone"));

    assertThat(runOnSocket("drain --wait")).isZero();
    assertThat(out)
        .hasToString(
            """
            web-1 is draining on 10.0.0.2
            web-1 is paused: 2 connections left, 9s to the deadline
            web-1 is paused: 1 connection left, 7s to the deadline
            web-1 is paused: all connections are gone
            """);
  }

  @ParameterizedTest
  @CsvSource({"deadline, 0", "cancelled, 1", "'', 1"})
  void drainSucceedsWhenNobodyBrokeItOff(String state, int code) throws IOException {
    serveDrain(drain(state, 3, "3 connections left"));

    assertThat(runOnSocket("drain --wait")).isEqualTo(code);
    assertThat(out.toString()).endsWith("web-1 is paused: 3 connections left\n");
  }

  @Test
  void drainPrintsTheFirstAndTheLastAnswerAsJson() throws IOException {
    serveDrain(drain("draining", 1, "1 connection left"), drain("drained", 0, "gone"));

    assertThat(runOnSocket("drain --wait --json")).isZero();
    assertThat(out.toString().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("\"confirmed\":true"),
            line -> assertThat(line).contains("\"drained\""));
  }

  @Test
  void whatIsNotConfirmedIsSaidAndWhatHoldsNow() throws IOException {
    serve(
        "pause",
        """
        {"name": "web-1", "intent": "paused", "loadBalancers": [
          {"address": "10.0.0.2", "port": 1338, "confirmed": true, "answer": "PAUSED"},
          {"address": "10.0.0.3", "port": 1338, "confirmed": false, "answer": "no session"},
          {"address": "10.0.0.4", "port": 1338}]}
        """);

    assertThat(runOnSocket("pause")).isEqualTo(1);
    assertThat(out).hasToString("web-1 is paused on 10.0.0.2\n");
    assertThat(err)
        .hasToString(
            """
            web-1 is not yet paused on 10.0.0.3: no session
            web-1 is not yet paused on 10.0.0.4: no answer
            web-1 remains paused; load balancers that come back will be told
            """);
  }

  @Test
  void aRefusalIsPassedOn() throws IOException {
    serve(
        "pause",
        (params, peer) -> {
          throw new ControlException(ControlException.REFUSED, "web-1 is already paused");
        });

    assertThat(runOnSocket("pause")).isEqualTo(1);
    assertThat(out).hasToString("");
    assertThat(err).hasToString("caplancectl: web-1 is already paused\n");
  }

  @Test
  void aDaemonOfAnotherKindSaysWhatItHas() throws IOException {
    serve("status", "{}");

    assertThat(runOnSocket("pause")).isEqualTo(1);
    assertThat(err).hasToString("caplancectl: Method not found: this daemon has status\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "health"})
  void showsTheBackend(String command) throws IOException {
    serve(command, Samples.BACKEND);

    assertThat(runOnSocket(command)).isZero();
    assertThat(out.toString()).startsWith("web-1").contains("10.0.0.2").endsWith("\n");
  }

  @Test
  void showsTheLoadBalancer() throws IOException {
    serve("status", Samples.LOAD_BALANCER);

    assertThat(runOnSocket("lb status")).isZero();
    assertThat(out.toString()).startsWith("load balancer 0.1.0").contains("web-22");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "status | this is the socket of a load balancer; write 'caplancectl lb status'",
        "lb status | this is the socket of a backend; write 'caplancectl status' without lb",
      })
  void tellsTheDaemonsApart(String command, String advice) throws IOException {
    serve("status", command.equals("status") ? Samples.LOAD_BALANCER : Samples.BACKEND);

    assertThat(runOnSocket(command)).isEqualTo(2);
    assertThat(out).hasToString("");
    assertThat(err).hasToString("caplancectl: " + advice + "\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'ready':true,'reasons':[]} | 0 | ready",
        "{'ready':false,'reasons':['no backend','no VIP']} | 1 | not ready: no backend; no VIP",
        "{} | 1 | not ready: unknown",
      })
  void tellsWhetherTheLoadBalancerServes(String answer, int code, String text) throws IOException {
    serve("ready", answer.replace('\'', '"'));

    assertThat(runOnSocket("lb ready")).isEqualTo(code);
    assertThat(out).hasToString(text + "\n");
  }

  @Test
  void aLoadBalancerThatHangsIsNotReadySoon() throws IOException {
    serve(
        "ready",
        (params, peer) -> {
          Thread.currentThread().join();
          return null;
        });

    assertThat(runOnSocket("lb ready")).isEqualTo(1);
    assertThat(err).asString().contains("did not answer within 2000 ms");
  }

  /** Only the arrow of ASCII needs quotes, lest the shell takes it for its own. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp 198.51.100.7:40000 -> 10.0.0.50:80",
        "tcp|198.51.100.7:40000|\u2192|10.0.0.50:80",
      })
  void asksWhereAFlowGoes(String flow) throws IOException {
    List<JsonObject> asked = new ArrayList<>();
    JsonElement answer = Samples.json(Samples.FLOW);
    serve(
        "explain",
        (params, peer) -> {
          asked.add(params);
          return answer;
        });
    List<String> args = new ArrayList<>(List.of("lb", "explain", "--socket", socket().toString()));
    args.addAll(List.of(flow.split("\\|")));

    assertThat(run(args.toArray(String[]::new))).isZero();
    assertThat(asked.get(0).get("flow").getAsString()).isEqualTo(flow.replace('|', ' '));
    assertThat(out.toString()).contains("backend  web-1 (10.0.0.11)\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "remove b3              | {'change':'remove','name':'b3','weight':null,'service':null}",
        "remove b3 --service s  | {'change':'remove','name':'b3','weight':null,'service':'s'}",
        "--service s remove b3  | {'change':'remove','name':'b3','weight':null,'service':'s'}",
        "add b9                 | {'change':'add','name':'b9','weight':null,'service':null}",
        "add b9 --weight 3      | {'change':'add','name':'b9','weight':3,'service':null}",
        "weight b3 5            | {'change':'weight','name':'b3','weight':5,'service':null}",
      })
  void asksWhatAChangeWouldMove(String change, String params) throws IOException {
    List<JsonObject> asked = new ArrayList<>();
    JsonElement answer = Samples.json(Samples.CHANGE);
    serve(
        "whatif",
        (given, peer) -> {
          asked.add(given);
          return answer;
        });

    assertThat(runOnSocket("lb whatif " + change)).isZero();
    assertThat(asked).containsExactly(Samples.json(params.replace('\'', '"')).getAsJsonObject());
    assertThat(out.toString()).startsWith("web: 33.5 % of new connections");
  }

  @Test
  void whatTheDaemonFindsWrongWithTheParametersIsWrongWithTheCommandLine() throws IOException {
    serve(
        "explain",
        (params, peer) -> {
          throw new ControlException(ControlException.INVALID_PARAMS, "'x' is not a flow");
        });

    assertThat(runOnSocket("lb explain x")).isEqualTo(2);
    assertThat(err).hasToString("caplancectl: 'x' is not a flow\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"status --json", "--json status", "lb status --json", "lb --json status"})
  void printsTheResultUnchanged(String command) throws IOException {
    serve("status", "{\"b\": 1.50, \"a\": null, \"new\": [\"ä<>'\", 1e400]}");

    assertThat(runOnSocket(command)).isZero();
    assertThat(out).hasToString("{\"b\":1.50,\"a\":null,\"new\":[\"ä<>'\",1e400]}\n");
  }

  @Test
  void printsJsonAlsoOfWhatIsNotConfirmed() throws IOException {
    serve("pause", "{\"loadBalancers\":[{\"confirmed\":false}]}");

    assertThat(runOnSocket("pause --json")).isEqualTo(1);
    assertThat(out).hasToString("{\"loadBalancers\":[{\"confirmed\":false}]}\n");
  }

  @Test
  void tellsThatThereIsNoDaemon() {
    assertThat(runOnSocket("status")).isEqualTo(69);
    assertThat(err)
        .hasToString("caplancectl: no daemon is running here: " + socket() + " does not exist\n");
  }

  @Test
  void doesNotWaitLongerThanItIsTold() throws IOException {
    serve(
        "pause",
        (params, peer) -> {
          Thread.currentThread().join();
          return null;
        });

    assertThat(runOnSocket("pause --timeout 200ms")).isEqualTo(1);
    assertThat(err)
        .hasToString(
            "caplancectl: the daemon at "
                + socket()
                + " did not answer within 200 ms; the command may still happen: 'caplancectl status'"
                + " tells\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "'' | a command is missing",
        "lb | a command is missing",
        "lb explain | Missing required parameter: 'FLOW'",
        "lb whatif | a change is missing",
        "lb whatif remove | Missing required parameter: 'NAME'",
        "lb whatif weight b3 | Missing required parameter: 'N'",
        "lb whatif weight b3 x | Invalid value for positional parameter at index 1 (N): 'x'",
        "pauze | Unmatched argument at index 0: 'pauze'",
        "pause now | Unmatched argument at index 1: 'now'",
        "status --socket | Missing required parameter for option '--socket' (PATH)",
        "status --timeout 0s | '0s' is out of range; write a time above zero, at most a year",
        "status --timeout 9000h | '9000h' is out of range",
        "status --timeout 5 | '5' is not a duration; write a number and its unit: 500ms, 30s, 5m",
        "status --timeout -1s | '-1s' is not a duration; write",
      })
  void saysWhatIsWrongWithTheCommandLine(String args, String message) {
    assertThat(run(args.equals("''") ? new String[0] : args.split(" "))).isEqualTo(2);
    assertThat(out).hasToString("");
    assertThat(err.toString())
        .startsWith("caplancectl: ")
        .contains(message)
        .containsPattern("Try 'caplancectl.* --help' for help.\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "pause --help", "lb --help", "lb status --help"})
  void helpNamesTheExitCodes(String args) {
    assertThat(run(args.split(" "))).isZero();
    assertThat(out.toString())
        .startsWith("Usage: caplancectl")
        .contains("--json", "--socket", "--timeout", "Exit codes:", "  69 ", "  77 ");
  }

  @Test
  void helpNamesTheCommands() {
    run("--help");

    assertThat(out.toString())
        .contains(
            "  drain ",
            "  pause ",
            "  resume ",
            "  health ",
            "  deregister ",
            "  status ",
            "  lb ");
  }

  /** {@code /dev/full} takes nothing, like a full disk. */
  @Test
  void whatCannotBePrintedIsAnError() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Caplancectl.class.getName(),
                "--version")
            .redirectOutput(new File("/dev/full"))
            .start();
    String errors = new String(process.getErrorStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(errors).isEqualTo("caplancectl: cannot write to standard output\n");
  }
}
