package dev.caplance.linux;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether native code can be loaded. JNA and jffi unpack theirs into a directory, which a machine
 * may have mounted noexec.
 */
public final class NativeCode {

  /** How the dynamic linker says so: the file, and what it could not do with it. */
  private static final Pattern NOT_MAPPED =
      Pattern.compile("(/\\S*/)[^/\\s]+: failed to map segment from shared object");

  /** How jffi does. */
  private static final Pattern NOT_EXECUTED =
      Pattern.compile("load jffi binary stub from `([^`]+)`");

  private NativeCode() {}

  /**
   * Why native code cannot be loaded.
   *
   * @param remedy what to do about it
   */
  public record Problem(String what, String remedy) {

    @Override
    public String toString() {
      return what + "; " + remedy;
    }
  }

  /** Why native code cannot be loaded; empty if it can. */
  public static Optional<Problem> problem() {
    try {
      Libc.strerror(Errno.ENOENT);
      return Optional.empty();
    } catch (LinkageError e) {
      return Optional.of(describe(e).orElseGet(() -> other(e.toString())));
    }
  }

  /** In words for the operator; empty if the error is not about loading native code. */
  public static Optional<Problem> describe(LinkageError error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      String text = String.valueOf(e.getMessage());
      for (Pattern pattern : new Pattern[] {NOT_MAPPED, NOT_EXECUTED}) {
        Matcher matcher = pattern.matcher(text);
        if (matcher.find()) {
          return Optional.of(
              new Problem(
                  "native code cannot be loaded from "
                      + matcher.group(1)
                      + ", where programs must not run (noexec)",
                  "set CACHE_DIRECTORY to a directory where they may, and that user "
                      + System.getProperty("user.name")
                      + " can write to"));
        }
      }
      if (e instanceof UnsatisfiedLinkError) {
        return Optional.of(other(text.strip()));
      }
    }
    return Optional.empty();
  }

  private static Problem other(String text) {
    return new Problem(
        "native code cannot be loaded: " + text,
        "install the jar anew, and set CACHE_DIRECTORY to a directory that can be written to");
  }
}
