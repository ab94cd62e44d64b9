package dev.caplance.backend.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import dev.caplance.backend.session.BackendIntent;
import dev.caplance.backend.session.CommandRefusedException;
import dev.caplance.backend.session.CommandResult;
import dev.caplance.backend.session.CommandResult.Answer;
import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.packet.IpAddresses;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The exact JSON that operators' programs read. */
class CommandMethodTest {

  private static final Caller PEER = new Caller(0, 0, 4711);

  private static CommandMethod method(CompletableFuture<CommandResult> result) {
    return new CommandMethod("web-1", () -> result);
  }

  @Test
  void tellsWhatEachLoadBalancerMadeOfIt() throws Exception {
    CommandResult result =
        new CommandResult(
            BackendIntent.PAUSED,
            List.of(
                new Answer(
                    new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, false),
                    true,
                    "PAUSED"),
                new Answer(
                    new LoadBalancerAddress(IpAddresses.parse("2001:db8::3"), 1339, false),
                    false,
                    "no answer within 10 s")));

    assertThat(
            method(CompletableFuture.completedFuture(result))
                .call(new JsonObject(), PEER)
                .toString())
        .isEqualTo(
            """
            {"name":"web-1","intent":"paused","loadBalancers":[\
            {"address":"10.0.0.2","port":1338,"confirmed":true,"answer":"PAUSED"},\
            {"address":"2001:db8::3","port":1339,"confirmed":false,\
            "answer":"no answer within 10 s"}]}""");
  }

  @Test
  void aRefusalIsAnErrorWithItsReason() {
    CommandMethod refused =
        method(
            CompletableFuture.failedFuture(new CommandRefusedException("web-1 is already paused")));
    assertThatThrownBy(() -> refused.call(new JsonObject(), PEER))
        .isInstanceOfSatisfying(
            ControlException.class, e -> assertThat(e.code()).isEqualTo(ControlException.REFUSED))
        .hasMessage("web-1 is already paused");
  }

  @Test
  void aFaultOfOursIsNotPassedOffAsARefusal() {
    CommandMethod broken = method(CompletableFuture.failedFuture(new ArithmeticException("a bug")));
    assertThatIllegalStateException()
        .isThrownBy(() -> broken.call(new JsonObject(), PEER))
        .withCauseInstanceOf(ArithmeticException.class);
  }

  @Test
  void isLoggedWithWhoAskedForIt() {
    assertThat(method(new CompletableFuture<>()).changesState()).isTrue();
  }
}
