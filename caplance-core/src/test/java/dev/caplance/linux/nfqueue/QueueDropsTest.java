package dev.caplance.linux.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class QueueDropsTest {

  @Test
  void readsWhatTheKernelWrites() throws IOException {
    String table =
        """
            0  28291     0 2 65531     0     0        7  1
            1  28291  8192 2 65531  6808    12    15000  1
        65535 4294963200     1 2 65531 4294967295     0        7  1
        """;
    assertThat(QueueDrops.parse(table))
        .isEqualTo(
            Map.of(
                0, QueueDrops.NONE,
                1, new QueueDrops(6808, 12),
                65_535, new QueueDrops(4_294_967_295L, 0)));
    assertThat(QueueDrops.parse("")).isEmpty();
    assertThat(new QueueDrops(1, 2).and(new QueueDrops(10, 20))).isEqualTo(new QueueDrops(11, 22));
  }

  @Test
  void refusesAnotherForm() {
    assertThatThrownBy(() -> QueueDrops.parse("0 1 2\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'0 1 2'");
  }
}
