package dev.caplance.linux;

import java.util.function.LongSupplier;

/**
 * Watches one system call of a {@link ReceiveLoop}. When the call has done nothing but fail for a
 * second, the owner of the loop is told, once, and again when the call works. For the loop's
 * thread. Allocates nothing but for that.
 */
public final class FailureWatch {

  private static final long PATIENCE_NANOS = 1_000_000_000;

  private final String call;
  private final ReceiveLoop.Owner owner;
  private final LongSupplier nanoClock;
  private long failures;
  private long since;
  private boolean reported;

  /**
   * Begins to watch.
   *
   * @param call as messages show it: {@code recvmmsg(..)}
   */
  public FailureWatch(String call, ReceiveLoop.Owner owner) {
    this(call, owner, System::nanoTime);
  }

  FailureWatch(String call, ReceiveLoop.Owner owner, LongSupplier nanoClock) {
    this.call = call;
    this.owner = owner;
    this.nanoClock = nanoClock;
  }

  /**
   * Takes the result of a call.
   *
   * @param result a negative error number if it failed; {@link Errno#EAGAIN} and {@link
   *     Errno#EINTR} are no failures
   * @return whether it failed
   */
  public boolean failed(int result) {
    if (result >= 0 || result == -Errno.EAGAIN || result == -Errno.EINTR) {
      if (failures > 0) {
        recover();
      }
      return false;
    }
    fail(-result);
    return true;
  }

  private void fail(int errno) {
    long now = nanoClock.getAsLong();
    if (failures++ == 0) {
      since = now;
    } else if (!reported && now - since >= PATIENCE_NANOS) {
      reported = true;
      owner.failing(new LinuxException(call, errno));
    }
  }

  private void recover() {
    long count = failures;
    failures = 0;
    if (reported) {
      reported = false;
      owner.recovered(call, count);
    }
  }
}
