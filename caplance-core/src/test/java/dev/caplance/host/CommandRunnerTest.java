package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CommandRunnerTest {

  private final CommandRunner runner = new CommandRunner();

  @Test
  void givesTheOutputAndPassesTheInput() throws Exception {
    String large = "a line of input\n".repeat(100_000);
    assertThat(runner.runWithInput(large, "cat")).isEqualTo(large);
  }

  @Test
  void aFailureIsToldInTheProgramsOwnWords() {
    assertThatThrownBy(
            () ->
                runner.run(
                    "sh",
                    "-c",
                    "echo out; echo first: >&2; echo second >&2; echo next >&2; exit 3"))
        .isInstanceOf(CommandException.class)
        .hasMessage(
            "'sh -c echo out; echo first: >&2; echo second >&2; echo next >&2; exit 3' failed: first: second; next");
    assertThatThrownBy(() -> runner.run("sh", "-c", "exit 3"))
        .hasMessage("'sh -c exit 3' failed: exit code 3");
  }

  @Test
  void aLackOfRightsIsToldWithTheRemedy() {
    assertThatThrownBy(
            () ->
                runner.run(
                    "sh", "-c", "echo 'RTNETLINK answers: Operation not permitted' >&2; false"))
        .hasMessageEndingWith(
            "RTNETLINK answers: Operation not permitted (needs root, or the capability"
                + " CAP_NET_ADMIN)");
  }

  @Test
  void aMissingProgramIsToldWithItsPackage() {
    assertThatThrownBy(() -> runner.run("caplance-no-such-program"))
        .isInstanceOf(CommandException.class)
        .hasMessage(
            "the program 'caplance-no-such-program' is missing; install it: apt install"
                + " caplance-no-such-program");
  }

  /** As a stop does, which has one deadline in all. */
  @Test
  void hurryShortensWhatRunsAndWhatFollows() throws Exception {
    CompletableFuture<Throwable> running =
        CompletableFuture.supplyAsync(() -> catchThrowable(() -> runner.run("sleep", "1000")));
    runner.hurry(Duration.ofMillis(100), Duration.ofMillis(150));
    assertThat(running.get(30, TimeUnit.SECONDS))
        .hasMessageStartingWith("'sleep 1000' did not end");
    await().until(() -> catchThrowable(() -> runner.run("true")) != null);
    assertThatThrownBy(() -> runner.run("true")).hasMessage("there is no time left for 'true'");
  }

  @Test
  void aProgramThatHangsIsEnded() {
    CommandRunner impatient = new CommandRunner(List.of(), Duration.ofMillis(200));
    assertThatThrownBy(() -> impatient.run("sleep", "1000"))
        .isInstanceOf(CommandException.class)
        .hasMessage("'sleep 1000' did not end within 200 ms");
  }

  @Test
  void aProgramThatDoesNotReadItsInputDoesNotHangUs() throws Exception {
    assertThat(runner.runWithInput("x".repeat(1 << 20), "true")).isEmpty();
  }

  @Test
  void anInterruptedThreadStopsWaiting() {
    Thread.currentThread().interrupt();
    Throwable thrown = catchThrowable(() -> runner.run("sleep", "1000"));
    assertThat(Thread.interrupted()).isTrue();
    assertThat(thrown).isInstanceOf(InterruptedIOException.class);
  }
}
