package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelParameterTest {

  @TempDir private Path directory;

  @Test
  void readsAllDigitsOfANumber() throws IOException {
    // A day at most (TCP_KEEPIDLE), two hours unless configured.
    assertThat(KernelParameter.number(Path.of("/proc/sys/net/ipv4/tcp_keepalive_time")))
        .isBetween(10L, 86_400L);
  }

  @Test
  void readsSeveralNumbers() throws IOException {
    assertThat(KernelParameter.read(Path.of("/proc/sys/net/ipv4/tcp_rmem")).split("\\s+"))
        .hasSize(3);
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path file = directory.resolve("value");
    assertThatThrownBy(() -> KernelParameter.read(file)).isInstanceOf(NoSuchFileException.class);
    Files.writeString(file, " loose\n");
    assertThat(KernelParameter.read(file)).isEqualTo("loose");
    assertThatThrownBy(() -> KernelParameter.number(file))
        .isInstanceOf(IOException.class)
        .hasMessage(file + " does not hold a number");
  }
}
