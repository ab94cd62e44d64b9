package dev.caplance.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Messages as Java 17, JNA 5.19 and jffi 1.3 print them. */
class NativeCodeTest {

  @Test
  void loads() {
    assertThat(NativeCode.problem()).isEmpty();
  }

  @Test
  void saysThatADirectoryIsNoexec() {
    UnsatisfiedLinkError jna =
        new UnsatisfiedLinkError(
            "/run/x/jna104.tmp: /run/x/jna104.tmp: failed to map segment from shared object");
    assertThat(NativeCode.describe(jna).orElseThrow().what())
        .isEqualTo(
            "native code cannot be loaded from /run/x/, where programs must not run (noexec)");
    NoClassDefFoundError later = new NoClassDefFoundError("Could not initialize class Libc");
    later.initCause(new ExceptionInInitializerError("Exception " + jna));
    assertThat(NativeCode.describe(later)).isEqualTo(NativeCode.describe(jna));
    UnsatisfiedLinkError jffi =
        new UnsatisfiedLinkError(
            "could not get native definition for type `POINTER`, original error message follows:"
                + " java.lang.UnsatisfiedLinkError: Unable to execute or load jffi binary stub from"
                + " `/tmp`. Set `TMPDIR` or Java property `java.io.tmpdir` to a read/write path that"
                + " is not mounted \"noexec\".");
    assertThat(NativeCode.describe(jffi).orElseThrow().what())
        .contains("from /tmp, where programs must not run");
  }

  @Test
  void otherErrorsAreNotAboutThat() {
    assertThat(NativeCode.describe(new NoClassDefFoundError("dev/caplance/Gone"))).isEmpty();
  }
}
