package dev.caplance.backend;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class MtuWatchTest {

  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  private OptionalInt mtu = OptionalInt.of(1500);
  private final List<String> problems = new ArrayList<>();
  private final MtuWatch watch =
      new MtuWatch(() -> mtu, problem -> problems.add(problem.orElse("none")));

  @BeforeEach
  void catchLog() {
    logged.start();
    log().addAppender(logged);
  }

  @AfterEach
  void releaseLog() {
    log().detachAppender(logged);
  }

  private static Logger log() {
    return (Logger) LoggerFactory.getLogger(MtuWatch.class);
  }

  private List<String> check(OptionalInt now) throws IOException {
    mtu = now;
    logged.list.clear();
    watch.check();
    return logged.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  @Test
  void reportsEachChangeOnce() throws IOException {
    watch.apply(1500);
    assertThat(check(OptionalInt.of(1500))).isEmpty();
    assertThat(check(OptionalInt.of(9000)))
        .containsExactly(
            "the MTU of the interface is now 9000, but the load balancers were told 1500: restart"
                + " this daemon so that packets are sized for it, or set mtu: in the configuration");
    assertThat(check(OptionalInt.of(9000))).isEmpty();
    assertThat(check(OptionalInt.empty())).as("unknown").isEmpty();
    check(OptionalInt.of(1500));
    assertThat(check(OptionalInt.of(9000))).hasSize(1);
  }

  @Test
  void goesByTheMtuThatWasAppliedLast() throws IOException {
    watch.apply(1500);
    check(OptionalInt.of(9000));
    watch.apply(9000);
    assertThat(check(OptionalInt.of(9000))).isEmpty();
  }

  @Test
  void anInterfaceThatIsTooNarrowKeepsTheBackendFromServingUntilItIsWider() throws IOException {
    watch.apply(576);
    String problem = "the MTU of the interface is 500 bytes, and at least 576 are needed";
    assertThat(check(OptionalInt.of(500)))
        .containsExactly(problem + "; this backend counts as unhealthy until it is raised");
    assertThat(check(OptionalInt.of(500))).isEmpty();
    check(OptionalInt.of(576));
    check(OptionalInt.empty());
    assertThat(problems).containsExactly(problem, problem, "none", "none");
  }
}
