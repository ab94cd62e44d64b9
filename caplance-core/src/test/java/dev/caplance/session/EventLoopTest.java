package dev.caplance.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EventLoopTest {

  /** Close to where nanoTime wraps, which must make no difference. */
  private long now = Long.MAX_VALUE - 1000;

  private final List<String> happened = new ArrayList<>();
  private final CompletableFuture<Throwable> ended = new CompletableFuture<>();

  @AfterEach
  void noLoopEndedUnasked() {
    assertThat(ended).isNotDone();
  }

  @Test
  void timersRunInTheirOrderWhenTheyAreDue() {
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      driver.loop.schedule(Duration.ofNanos(3000), () -> happened.add("c"));
      driver.loop.schedule(Duration.ofNanos(2000), () -> happened.add("a"));
      driver.loop.schedule(Duration.ofNanos(2000), () -> happened.add("b"));
      now += 1999;
      driver.turn();
      assertThat(happened).isEmpty();
      now += 1;
      driver.turn();
      assertThat(happened).containsExactly("a", "b");
      now += 1000;
      driver.turn();
      assertThat(happened).containsExactly("a", "b", "c");
    }
  }

  @Test
  void aCancelledTimerNeverRuns() {
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      EventLoop.Timer[] second = new EventLoop.Timer[1];
      driver.loop.schedule(
          Duration.ofNanos(10),
          () -> {
            happened.add("first");
            second[0].cancel();
          });
      second[0] = driver.loop.schedule(Duration.ofNanos(10), () -> happened.add("second"));
      now += 10;
      driver.turn();
      second[0].cancel();
      driver.turn();
      assertThat(happened).containsExactly("first");
    }
  }

  @Test
  void tasksRunAfterChannelsAndTimersAndThoseTheyQueueInTheNextTurn() throws IOException {
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      Pipe pipe = readyPipe();
      driver.loop.execute(
          () -> {
            happened.add("task");
            driver.loop.execute(() -> happened.add("later task"));
          });
      driver.loop.register(
          pipe.source(),
          SelectionKey.OP_READ,
          key -> {
            happened.add("channel");
            key.interestOps(0);
            driver.loop.execute(() -> happened.add("task of the channel"));
          });
      driver.loop.schedule(Duration.ZERO, () -> happened.add("timer"));
      driver.turn();
      assertThat(happened).containsExactly("channel", "timer", "task", "task of the channel");
      driver.turn();
      assertThat(happened).endsWith("later task");
    }
  }

  @Test
  void whatFailsEndsAloneAndIsTold() throws IOException {
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      Pipe broken = readyPipe();
      Pipe healthy = readyPipe();
      driver.loop.register(
          broken.source(),
          SelectionKey.OP_READ,
          new EventLoop.ChannelHandler() {
            @Override
            public void ready(SelectionKey key) throws IOException {
              throw new IOException("a bug");
            }

            @Override
            public void failed(Throwable cause) {
              happened.add("told of " + cause.getMessage());
              throw new IllegalStateException("another bug");
            }
          });
      driver.loop.register(
          healthy.source(),
          SelectionKey.OP_READ,
          key -> {
            key.interestOps(0);
            happened.add("channel");
          });
      Runnable bug =
          () -> {
            throw new AssertionError("a bug");
          };
      driver.loop.schedule(Duration.ZERO, bug);
      driver.loop.schedule(Duration.ZERO, () -> happened.add("timer"));
      driver.loop.execute(bug);
      driver.loop.execute(() -> happened.add("task"));
      driver.turn();
      assertThat(happened).containsExactlyInAnyOrder("told of a bug", "channel", "timer", "task");
      assertThat(broken.source().isOpen()).isFalse();
      assertThat(healthy.source().isOpen()).isTrue();
    }
  }

  @Test
  void aChannelClosedByAnotherInTheSameTurnIsLeftAlone() throws IOException {
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      Pipe a = readyPipe();
      Pipe b = readyPipe();
      driver.loop.register(a.source(), SelectionKey.OP_READ, key -> close(b, "a closed b"));
      driver.loop.register(b.source(), SelectionKey.OP_READ, key -> close(a, "b closed a"));
      driver.turn();
      assertThat(happened).hasSize(1);
    }
  }

  @Test
  void startedItTakesTasksFromAnyThreadAndRunsEachOnceOnItsOwn() throws Exception {
    int threads = 4;
    int tasksOfEach = 5000;
    EventLoop loop = new EventLoop("own", System::nanoTime);
    loop.start(ended::complete);
    AtomicInteger elsewhere = new AtomicInteger();
    int[] ran = new int[1]; // only the loop's thread touches it
    ExecutorService callers = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> calls = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        calls.add(
            callers.submit(
                () -> {
                  for (int j = 0; j < tasksOfEach; j++) {
                    loop.execute(
                        () -> {
                          ran[0]++;
                          if (!Thread.currentThread().getName().equals("own")) {
                            elsewhere.incrementAndGet();
                          }
                        });
                  }
                }));
      }
      for (Future<?> call : calls) {
        call.get(60, TimeUnit.SECONDS);
      }
      assertThat(CompletableFuture.supplyAsync(() -> ran[0], loop).get(60, TimeUnit.SECONDS))
          .isEqualTo(threads * tasksOfEach);
      assertThat(elsewhere).hasValue(0);
    } finally {
      callers.shutdown();
      loop.close();
    }
  }

  @Test
  void aTimerWakesTheStartedLoop() throws Exception {
    EventLoop loop = new EventLoop("own", System::nanoTime);
    CompletableFuture<String> rang = new CompletableFuture<>();
    loop.schedule(Duration.ofMillis(1), () -> rang.complete(Thread.currentThread().getName()));
    loop.start(ended::complete);
    assertThat(rang.get(60, TimeUnit.SECONDS)).isEqualTo("own");
    loop.close();
  }

  @Test
  void theOwnerIsToldWhenTheLoopItselfFails() throws Exception {
    Pipe pipe = Pipe.open();
    AtomicBoolean broken = new AtomicBoolean();
    EventLoop loop =
        new EventLoop(
            "own",
            () -> {
              if (broken.get()) {
                throw new IllegalStateException("the clock has stopped");
              }
              return now;
            });
    loop.register(pipe.source(), SelectionKey.OP_READ, key -> {});
    loop.schedule(Duration.ofDays(1), () -> {});
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    loop.start(failure::complete);
    loop.execute(() -> broken.set(true));
    assertThat(failure.get(60, TimeUnit.SECONDS)).hasMessage("the clock has stopped");
    assertThat(pipe.source().isOpen()).isFalse();
    assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    loop.close();
  }

  @Test
  void closingRunsWhatWasQueuedClosesChannelsAndRefusesMore() throws IOException {
    Pipe pipe = Pipe.open();
    EventLoop loop = new EventLoop("own", System::nanoTime);
    loop.register(pipe.source(), SelectionKey.OP_READ, key -> {});
    loop.start(ended::complete);
    CompletableFuture<Void> ran = new CompletableFuture<>();
    loop.execute(() -> ran.complete(null));
    loop.close();
    loop.close();
    assertThat(ran).isCompleted();
    assertThat(pipe.source().isOpen()).isFalse();
    assertThatThrownBy(() -> loop.execute(() -> {}))
        .isInstanceOf(RejectedExecutionException.class)
        .hasMessage("own was stopped");
  }

  @Test
  void onlyItsOwnThreadMayScheduleOrRegister() throws IOException {
    Pipe pipe = Pipe.open();
    EventLoop loop = new EventLoop("own", System::nanoTime);
    loop.start(ended::complete);
    try {
      assertThatThrownBy(() -> loop.schedule(Duration.ZERO, () -> {}))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> loop.register(pipe.source(), SelectionKey.OP_READ, key -> {}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("only the thread of own may do this");
    } finally {
      loop.close();
    }
  }

  /** What others have said meanwhile is known before a timer judges their silence. */
  @Test
  void afterAStallAllThatWaitsIsReadBeforeAnyTimerRuns() throws IOException {
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      Pipe pipe = Pipe.open();
      for (int i = 0; i < 20; i++) {
        assertThat(pipe.sink().write(ByteBuffer.allocate(1))).isEqualTo(1);
      }
      driver.loop.register(
          pipe.source(),
          SelectionKey.OP_READ,
          key -> {
            assertThat(pipe.source().read(ByteBuffer.allocate(1))).isEqualTo(1);
            happened.add("byte");
          });
      driver.loop.schedule(Duration.ofSeconds(5), () -> happened.add("timer"));
      driver.turn();
      driver.turn();
      assertThat(happened).as("in good time: one read for each turn").hasSize(2);
      now += Duration.ofSeconds(13).toNanos();
      driver.loop.execute(() -> happened.add("reply"));
      driver.turn();
      assertThat(happened).hasSize(22).endsWith("byte", "reply", "timer");
    }
  }

  @Test
  void attentiveTimeLeavesOutStalls() {
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      driver.turn();
      long start = driver.loop.attentiveNanos();
      for (int i = 0; i < 100; i++) {
        now += Duration.ofMillis(100).toNanos();
        driver.turn();
      }
      assertThat(driver.loop.attentiveNanos() - start).isEqualTo(Duration.ofSeconds(10).toNanos());
      now += Duration.ofHours(1).toNanos();
      driver.turn();
      assertThat(driver.loop.attentiveNanos() - start)
          .isEqualTo(Duration.ofMillis(10_100).toNanos());
    }
  }

  /** Any mixture of schedules, cancellations and time leaves the timers that a list would. */
  @Test
  void timersAgreeWithAPlainList() {
    SplittableRandom random = new SplittableRandom(1);
    try (LoopDriver driver = new LoopDriver(() -> now)) {
      List<Integer> expected = new ArrayList<>();
      List<Integer> ran = new ArrayList<>();
      List<Long> deadlines = new ArrayList<>();
      List<EventLoop.Timer> timers = new ArrayList<>();
      for (int i = 0; i < 2000; i++) {
        int number = i;
        int delay = random.nextInt(1, 500);
        deadlines.add(now + delay);
        timers.add(driver.loop.schedule(Duration.ofNanos(delay), () -> ran.add(number)));
        if (random.nextInt(4) == 0) {
          int victim = random.nextInt(timers.size());
          timers.get(victim).cancel();
          if (!ran.contains(victim)) {
            deadlines.set(victim, null);
          }
        }
        now += random.nextInt(3);
        driver.turn();
      }
      now += 500;
      driver.turn();
      for (int i = 0; i < deadlines.size(); i++) {
        if (deadlines.get(i) != null) {
          expected.add(i);
        }
      }
      assertThat(ran).containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  private void close(Pipe pipe, String event) throws IOException {
    happened.add(event);
    pipe.source().close();
  }

  private static Pipe readyPipe() throws IOException {
    Pipe pipe = Pipe.open();
    assertThat(pipe.sink().write(ByteBuffer.allocate(1))).isEqualTo(1);
    return pipe;
  }
}
