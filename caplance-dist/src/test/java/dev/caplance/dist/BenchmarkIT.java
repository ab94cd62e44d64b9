package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The benchmark works and cleans up. How fast things are is not tested: that is what the benchmark
 * itself is for, on a machine that does nothing else.
 */
class BenchmarkIT {

  /** With a /run and a network of its own, so that its lab is not the one of the other tests. */
  private static final String ALONE =
      """
      mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir /run/lock && ip link set lo up &&
      "$@" && ls /run
      """;

  @TempDir private Path directory;

  private static JsonArray samples(JsonObject figures, String figure, String contender) {
    assertThat(figures.keySet()).contains(figure);
    JsonElement samples = figures.getAsJsonObject(figure).get(contender);
    assertThat(samples).as("%s of %s", figure, contender).isNotNull();
    return samples.getAsJsonArray();
  }

  @Test
  void measuresEveryContenderAndLeavesNothingBehind() throws IOException {
    Path json = directory.resolve("samples.json");
    String bench = Lab.script("bench.sh");
    String only = "--only=saturation,cpu,memory,tcp,http,change";
    Lab.Result result =
        Lab.run(
            "unshare",
            "-n",
            "-m",
            "--",
            "sh",
            "-c",
            ALONE,
            "sh",
            "env",
            "-u",
            "CAPLANCE_LAB_OWNER",
            bench,
            "--quick",
            "--no-build",
            only,
            "--json",
            json.toString());
    assertThat(result.succeeded().out())
        .contains("Ratios, medians of the rounds")
        .doesNotContain("caplance-lab");
    JsonObject figures =
        JsonParser.parseString(Files.readString(json)).getAsJsonObject().getAsJsonObject("figures");
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
}
