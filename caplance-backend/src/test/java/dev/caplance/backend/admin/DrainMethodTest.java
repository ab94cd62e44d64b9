package dev.caplance.backend.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.caplance.backend.drain.Drainer;
import dev.caplance.backend.drain.OngoingFlows;
import dev.caplance.backend.drain.ServiceGap;
import dev.caplance.backend.session.BackendIntent;
import dev.caplance.backend.session.CommandRefusedException;
import dev.caplance.backend.session.CommandResult;
import dev.caplance.backend.session.CommandResult.Answer;
import dev.caplance.backend.session.Drainable;
import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.packet.IpAddresses;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The exact JSON that operators' programs read. */
class DrainMethodTest {

  private static final Caller PEER = new Caller(0, 0, 4711);

  private static final String REPLIES =
      """
      {"name":"web-1","intent":"draining","loadBalancers":[\
      {"address":"10.0.0.2","port":1338,"confirmed":true,"answer":"DRAINING"}]""";

  private final Backend backend = new Backend();
  private volatile int connections;
  private final Drainer drainer =
      new Drainer(
          backend,
          heardWithin -> new OngoingFlows(connections, 0),
          ServiceGap.remembered(Path.of("/nonexistent/gap")));

  /** Does what it is told, with one load balancer that confirms it. */
  private static final class Backend implements Drainable {

    private volatile BackendIntent intent = BackendIntent.ACTIVE;

    @Override
    public BackendIntent intent() {
      return intent;
    }

    @Override
    public CompletableFuture<CommandResult> drain() {
      return intent == BackendIntent.PAUSED
          ? CompletableFuture.failedFuture(new CommandRefusedException("web-1 is paused"))
          : become(BackendIntent.DRAINING);
    }

    @Override
    public CompletableFuture<CommandResult> drainBeforeStop() {
      return become(BackendIntent.DRAINING);
    }

    @Override
    public CompletableFuture<CommandResult> pauseDrained() {
      return become(BackendIntent.PAUSED);
    }

    private CompletableFuture<CommandResult> become(BackendIntent next) {
      intent = next;
      LoadBalancerAddress loadBalancer =
          new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, false);
      return CompletableFuture.completedFuture(
          new CommandResult(next, List.of(new Answer(loadBalancer, true, "DRAINING"))));
    }
  }

  @AfterEach
  void close() {
    drainer.close();
  }

  private String drain(String params) throws ControlException, InterruptedException {
    JsonObject json = JsonParser.parseString(params.replace('\'', '"')).getAsJsonObject();
    return new DrainMethod("web-1", drainer).call(json, PEER).toString();
  }

  @Test
  void waitsForTheEndWhenAskedTo() throws Exception {
    assertThat(drain("{'deadlineMillis':null,'wait':true}"))
        .isEqualTo(
            REPLIES
                + """
                ,"drain":{"state":"drained","connections":0,"remainingMillis":null,\
                "text":"all connections are gone","udpFlows":0}}""");
    assertThat(backend.intent()).isEqualTo(BackendIntent.PAUSED);
  }

  @Test
  void tellsHowFarItIsWhenNotToWait() throws Exception {
    connections = 7;
    assertThat(drain("{'deadlineMillis':3600000}"))
        .startsWith(REPLIES + ",\"drain\":{\"state\":\"draining\",\"connections\":")
        .containsPattern(
            "\"remainingMillis\":3[56]\\d{5},\"text\":\".* to the deadline\",\"udpFlows\":(0|null)}}$");
  }

  @Test
  void aSecondDrainHasNoRepliesOfLoadBalancers() throws Exception {
    connections = 7;
    drain("{}");
    assertThat(drain("{}"))
        .startsWith("{\"name\":\"web-1\",\"intent\":\"draining\",\"loadBalancers\":[],\"drain\":{")
        .contains("\"remainingMillis\":null,");
  }

  @Test
  void aRefusalIsAnErrorWithItsReason() {
    backend.intent = BackendIntent.PAUSED;
    assertThatThrownBy(() -> drain("{}"))
        .isInstanceOfSatisfying(
            ControlException.class, e -> assertThat(e.code()).isEqualTo(ControlException.REFUSED))
        .hasMessage("web-1 is paused");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'deadline':5}              | 'deadline'",
        "{'deadlineMillis':-1}       | deadlineMillis",
        "{'deadlineMillis':'5'}      | deadlineMillis",
        "{'deadlineMillis':4e10}     | deadlineMillis",
        "{'wait':1}                  | wait",
        "{'wait':null}               | wait",
      })
  void parametersThatAreWrongAreRefused(String params, String name) {
    assertThatThrownBy(() -> drain(params))
        .isInstanceOfSatisfying(
            ControlException.class,
            e -> assertThat(e.code()).isEqualTo(ControlException.INVALID_PARAMS))
        .hasMessageContaining(name);
    assertThat(backend.intent()).isEqualTo(BackendIntent.ACTIVE);
  }
}
