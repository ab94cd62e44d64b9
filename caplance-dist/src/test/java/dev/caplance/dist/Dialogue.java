package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** A program of {@link TcpPrograms} on a host, asked by lines. */
class Dialogue implements AutoCloseable {

  private final Process process;
  private final BufferedReader in;
  private final BufferedWriter out;

  Dialogue(Lab lab, String host, Class<?> program, String... arguments) {
    process = lab.start(host, program, arguments);
    in = process.inputReader();
    out = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), US_ASCII));
  }

  /** Says a line and gives the answer, up to an empty line or the end. */
  List<String> ask(String line) {
    List<String> answer = new ArrayList<>();
    try {
      out.write(line + "\n");
      out.flush();
      for (String next = in.readLine(); next != null && !next.isEmpty(); next = in.readLine()) {
        answer.add(next);
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroy();
  }
}
