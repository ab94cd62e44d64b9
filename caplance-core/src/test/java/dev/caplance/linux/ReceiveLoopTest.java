package dev.caplance.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Loops, and the watches of what they call. */
class ReceiveLoopTest {

  private static final long SECOND = 1_000_000_000;

  private final BlockingQueue<Throwable> ends = new LinkedBlockingQueue<>();
  private final List<String> reports = new ArrayList<>();
  private final ReceiveLoop.Owner owner =
      new ReceiveLoop.Owner() {
        @Override
        public void ended(Throwable cause) {
          ends.add(cause);
        }

        @Override
        public void failing(LinuxException cause) {
          reports.add(cause.getMessage());
        }

        @Override
        public void recovered(String call, long failures) {
          reports.add(call + " works after " + failures);
        }
      };

  private long now = -SECOND / 2;
  private final FailureWatch watch = new FailureWatch("recvmmsg(..)", owner, () -> now);

  @ParameterizedTest
  @ValueSource(
      classes = {
        IllegalStateException.class,
        OutOfMemoryError.class,
        InterruptedException.class,
        LinkageError.class
      })
  void theOwnerLearnsOfTheEndWhateverItsCause(Class<? extends Throwable> cause) throws Exception {
    Throwable thrown = cause.getDeclaredConstructor().newInstance();
    ReceiveLoop loop = new ReceiveLoop("t", () -> sneakyThrow(thrown), owner);
    loop.start();
    assertThat(ends.poll(10, TimeUnit.SECONDS)).isSameAs(thrown);
    loop.stop();
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> int sneakyThrow(Throwable cause) throws T {
    throw (T) cause;
  }

  @Test
  void theOwnerLearnsOfAnEndThatAReportCauses() throws Exception {
    ReceiveLoop.Owner cannotLog =
        new ReceiveLoop.Owner() {
          @Override
          public void ended(Throwable cause) {
            ends.add(cause);
          }

          @Override
          public void failing(LinuxException cause) {
            throw new IllegalStateException("no space left for logs", cause);
          }

          @Override
          public void recovered(String call, long failures) {}
        };
    FailureWatch receiving = new FailureWatch("recvmmsg(..)", cannotLog, () -> now += SECOND);
    ReceiveLoop loop =
        new ReceiveLoop("t", () -> receiving.failed(-Errno.ENOBUFS) ? 0 : 1, cannotLog);
    loop.start();
    assertThat(ends.poll(10, TimeUnit.SECONDS)).hasMessage("no space left for logs");
    loop.stop();
  }

  @Test
  void aLoopThatIsStoppedSaysNothing() throws Exception {
    AtomicInteger batches = new AtomicInteger();
    ReceiveLoop loop = new ReceiveLoop("t", batches::incrementAndGet, owner);
    loop.start();
    while (batches.get() < 10) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    loop.stop();
    assertThat(ends).isEmpty();
  }

  @Test
  void aDutyThatCannotWaitDoesNotSpin() throws Exception {
    AtomicInteger batches = new AtomicInteger();
    ReceiveLoop loop =
        new ReceiveLoop(
            "t",
            () -> {
              batches.incrementAndGet();
              return 0;
            },
            owner);
    loop.start();
    TimeUnit.MILLISECONDS.sleep(200);
    loop.stop();
    assertThat(batches.get()).isBetween(2, 30);
  }

  @Test
  void failuresThatPersistAreReportedOnceAndSoIsTheirEnd() {
    assertThat(watch.failed(-Errno.ENOBUFS)).isTrue();
    now += SECOND - 1;
    assertThat(watch.failed(-Errno.ENOBUFS)).isTrue();
    assertThat(reports).isEmpty();
    now += 1;
    watch.failed(-Errno.ENOBUFS);
    assertThat(reports)
        .containsExactly("recvmmsg(..) failed with error(105): No buffer space available");
    now += 10 * SECOND;
    watch.failed(-Errno.ENOBUFS);
    assertThat(watch.failed(-Errno.EAGAIN)).isFalse();
    assertThat(watch.failed(17)).isFalse();
    assertThat(reports).hasSize(2).last().isEqualTo("recvmmsg(..) works after 4");
  }

  @Test
  void oneSuccessBetweenFailuresIsEnough() {
    for (int i = 0; i < 10; i++) {
      watch.failed(-Errno.ENOBUFS);
      now += SECOND;
      watch.failed(0);
    }
    assertThat(reports).isEmpty();
  }
}
