package dev.caplance.backend.dataplane;

import dev.caplance.linux.SendBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Counts messages, and refuses those whose error number is next; 0 lets a call pass. */
final class FakeSink implements SendBatch.Sink {
  final Deque<Integer> errors = new ArrayDeque<>();
  final List<Integer> counts = new ArrayList<>();
  boolean closed;

  @Override
  public int send(long messages, int count) {
    int errno = errors.isEmpty() ? 0 : errors.remove();
    if (errno == 0) {
      counts.add(count);
    }
    return errno == 0 ? count : -errno;
  }

  @Override
  public void close() {
    closed = true;
  }
}
