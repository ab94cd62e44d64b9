package dev.caplance.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineReaderTest {

  private static final Duration LONG = Duration.ofMinutes(5);

  /** A channel that delivers at most so many bytes at once, as sockets do. */
  private static LineReader reader(String text, int maxBytes, int atOnce) {
    ReadableByteChannel all = Channels.newChannel(new ByteArrayInputStream(text.getBytes(UTF_8)));
    return new LineReader(
        new ReadableByteChannel() {
          @Override
          public int read(ByteBuffer target) throws IOException {
            ByteBuffer piece = ByteBuffer.allocate(Math.min(atOnce, target.remaining()));
            int n = all.read(piece);
            target.put(piece.flip());
            return n;
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        },
        maxBytes);
  }

  private static String next(LineReader reader) throws IOException {
    byte[] line = reader.readLine(LONG);
    return line == null ? null : new String(line, UTF_8);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 8192})
  void cutsAtLineFeedsHoweverTheBytesArrive(int atOnce) throws IOException {
    LineReader reader = reader("one\n\ntwo ä\r\nthe rest is cut off", 100, atOnce);

    assertThat(next(reader)).isEqualTo("one");
    assertThat(next(reader)).isEmpty();
    assertThat(next(reader)).isEqualTo("two ä\r");
    assertThat(next(reader)).isNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8192})
  void saysOnceThatALineIsTooLongAndGoesOnWithTheNext(int atOnce) throws IOException {
    LineReader reader = reader("12345\n" + "x".repeat(20_000) + "\nabc\n", 5, atOnce);

    assertThat(next(reader)).isEqualTo("12345");
    assertThatThrownBy(() -> next(reader))
        .isInstanceOf(LineReader.LineTooLongException.class)
        .hasMessage("a line is longer than 5 bytes");
    assertThat(next(reader)).isEqualTo("abc");
    assertThat(next(reader)).isNull();
  }

  @Test
  void timesOutWhenBytesTrickleInWithoutALine() {
    LineReader reader = reader("x".repeat(1000), 5000, 1);

    assertThatThrownBy(() -> reader.readLine(Duration.ZERO))
        .isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void timesOutWhenTheChannelDoes() {
    LineReader reader = reader("x", 5000, 0);

    assertThatThrownBy(() -> reader.readLine(LONG)).isInstanceOf(SocketTimeoutException.class);
  }
}
