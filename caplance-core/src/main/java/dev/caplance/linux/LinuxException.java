package dev.caplance.linux;

import com.sun.jna.Native;
import java.io.IOException;

/** A failed system call: which one, the error number, and what that means. */
public final class LinuxException extends IOException {

  private static final long serialVersionUID = 1L;

  private final int errno;

  public LinuxException(String call, int errno) {
    super(call + " failed with error(" + errno + "): " + Libc.strerror(errno));
    this.errno = errno;
  }

  /** The failure of the last call that this thread made. */
  public static LinuxException last(String call) {
    return new LinuxException(call, Native.getLastError());
  }

  /** The error number, one of {@link Errno} or any other of {@code errno.h}. */
  public int errno() {
    return errno;
  }
}
