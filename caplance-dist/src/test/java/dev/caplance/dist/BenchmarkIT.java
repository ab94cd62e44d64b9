package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The benchmark works and cleans up. How fast things are is not tested: that is what the benchmark
 * itself is for, on a machine that does nothing else.
 */
class BenchmarkIT {

  @TempDir private Path directory;

  private static JsonArray samples(JsonObject figures, String figure, String contender) {
    assertThat(figures.keySet()).contains(figure);
    JsonElement samples = figures.getAsJsonObject(figure).get(contender);
    assertThat(samples).as("%s of %s", figure, contender).isNotNull();
    return samples.getAsJsonArray();
  }

  /** Runs the benchmark once, briefly. */
  private Lab.Result bench(String... options) {
    List<String> line = new ArrayList<>(List.of("--quick", "--no-build"));
    line.addAll(List.of("--json", json().toString()));
    line.addAll(List.of(options));
    return Lab.runAlone("bench.sh", line.toArray(String[]::new));
  }

  private Path json() {
    return directory.resolve("samples.json");
  }

  private JsonObject figures() throws IOException {
    JsonObject all = JsonParser.parseString(Files.readString(json())).getAsJsonObject();
    return all.getAsJsonObject("figures");
  }

  @Test
  void measuresEveryContenderAndLeavesNothingBehind() throws IOException {
    Lab.Result result = bench("--only=saturation,cpu,memory,tcp,http,change");
    assertThat(result.succeeded().out())
        .contains("Ratios, medians of the rounds")
        .doesNotContain("other jar")
        .doesNotContain("caplance-lab");
    JsonObject figures = figures();
    for (String contender : new String[] {"kernel routing", "C reference", "Caplance"}) {
      JsonArray delivered = samples(figures, "saturated: delivered per second", contender);
      assertThat(delivered.get(0).getAsDouble()).as(contender).isGreaterThan(1000);
    }
    for (String contender : new String[] {"C reference", "Caplance"}) {
      JsonArray own = samples(figures, "balancing alone, saturated: own µs per packet", contender);
      assertThat(own.get(0).getAsDouble()).as(contender).isPositive();
    }
    for (String way : new String[] {"direct", "Caplance"}) {
      assertThat(samples(figures, "upload: Gbit/s", way).get(0).getAsDouble()).isPositive();
      assertThat(samples(figures, "HTTP connections per second", way).get(0).getAsDouble())
          .isPositive();
    }
    assertThat(samples(figures, "upload: outer fragments", "Caplance").get(0).getAsInt()).isZero();
    assertThat(samples(figures, "a change, 1,000 backends, ms", "Caplance").get(0).getAsDouble())
        .isPositive();
    assertThat(samples(figures, "flows in the table", "Caplance").get(0).getAsInt())
        .isGreaterThan(100_000);
  }

  @Test
  void comparesWithAnotherJar() throws IOException {
    String jar = System.getProperty("caplance.jar");
    Lab.Result result = bench("--only=start,saturation,http", "--against", jar);
    assertThat(result.succeeded().out())
        .contains("This build and the other jar")
        .containsPattern("(?m)^ *jar, bytes +([0-9,]+) +\\1 +1\\.000 +1$")
        .contains("orse than 0.97")
        .doesNotContain("caplance-lab");
    JsonObject figures = figures();
    for (String contender : new String[] {"Caplance", "other jar"}) {
      for (String figure :
          new String[] {
            "ms from exec to READY, lb",
            "ms from exec to READY, backend",
            "saturated: delivered per second",
            "HTTP connections per second"
          }) {
        assertThat(samples(figures, figure, contender).get(0).getAsDouble())
            .as("%s of %s", figure, contender)
            .isPositive();
      }
    }
  }

  @Test
  void anotherJarNeedsItsListOfClasses() throws IOException {
    Path jar = Files.createFile(directory.resolve("other.jar"));
    Lab.Result result = bench("--only=start", "--against", jar.toString());
    assertThat(result.exit()).isNotZero();
    assertThat(result.err()).contains("there is no file").contains("other.classlist");
  }
}
