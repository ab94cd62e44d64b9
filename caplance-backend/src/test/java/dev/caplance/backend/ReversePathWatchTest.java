package dev.caplance.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReversePathWatchTest {

  @TempDir Path conf;
  private final List<Boolean> told = new ArrayList<>();

  private void write(String name, int value) throws IOException {
    Files.writeString(
        Files.createDirectories(conf.resolve(name)).resolve("rp_filter"), value + "\n");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, false",
    "0, 1, true",
    "1, 0, true",
    "1, 1, true",
    "2, 1, false",
    "1, 2, false",
    "0, 2, false"
  })
  void theStricterNumberCounts(int all, int lo, boolean refused) throws IOException {
    write("all", all);
    write("lo", lo);
    new ReversePathWatch(conf, told::add).check();
    assertThat(told).containsExactly(refused);
  }

  @Test
  void seesWhatChanges() throws IOException {
    ReversePathWatch watch = new ReversePathWatch(conf, told::add);
    watch.check();
    write("all", 1);
    watch.check();
    write("all", 0);
    watch.check();
    assertThat(told).containsExactly(false, true, false);
  }
}
