package dev.caplance.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads files of {@code /proc/sys}. The kernel gives a number only to the first read of such a
 * file, and as much of it as that read has room for; {@link Files#readString}, which begins with
 * one byte because the file says that it is empty, gets the first digit alone (proc_do_large_int in
 * sysctl.c). Any thread may call.
 */
public final class KernelParameter {

  /** The kernel writes such a value from at most one page. */
  private static final int PAGE = 4096;

  private KernelParameter() {}

  /**
   * The value without the white space around it.
   *
   * @throws java.nio.file.NoSuchFileException if the kernel has no such parameter
   */
  public static String read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(PAGE), StandardCharsets.US_ASCII).strip();
    }
  }

  /** The value as a number; see {@link #read}. */
  public static long number(Path file) throws IOException {
    try {
      return Long.parseLong(read(file));
    } catch (NumberFormatException e) {
      throw new IOException(file + " does not hold a number", e);
    }
  }
}
