package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What systemd itself says about the units that we ship. Needs systemd-analyze, not a running
 * systemd.
 */
class SystemdUnitsIT {

  private static final Path CHECKOUT = Path.of("").toAbsolutePath().getParent();

  /** Exposure in tenths, as systemd-analyze counts it: 2.9 is the largest that is below 3.0. */
  private static final String EXPOSURE_THRESHOLD = "--threshold=29";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"lb", "backend"})
  void systemdFindsNothingWrong(String daemon) throws Exception {
    Result verified = run("systemd-analyze", "verify", unit(daemon).toString());
    assertThat(verified.output()).isEmpty();
    assertThat(verified.exitCode()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"lb", "backend"})
  void exposureIsBelowThree(String daemon) throws Exception {
    Result rated =
        run(
            "systemd-analyze",
            "security",
            "--offline=true",
            EXPOSURE_THRESHOLD,
            unit(daemon).toString());
    assertThat(rated.exitCode()).as(rated.output()).isZero();
  }

  @Test
  void sysusersMakesTheUser() throws Exception {
    Path definition = CHECKOUT.resolve("systemd/sysusers.conf");
    Result made =
        run("systemd-sysusers", "--root=" + directory, "--dry-run", definition.toString());
    assertThat(made.exitCode()).as(made.output()).isZero();
    assertThat(made.output()).contains("Creating user 'caplance'");
  }

  /** The unit as it is shipped, except that the program is the one of this checkout. */
  private Path unit(String daemon) throws IOException {
    String name = "caplance-" + daemon + ".service";
    String shipped = Files.readString(CHECKOUT.resolve("systemd").resolve(name));
    assertThat(shipped).contains("\nExecStart=caplance " + daemon + "\n");
    String launcher = CHECKOUT.resolve("scripts/caplance").toString();
    return Files.writeString(
        directory.resolve(name),
        shipped.replace("\nExecStart=caplance ", "\nExecStart=\"" + launcher + "\" "));
  }

  private record Result(int exitCode, String output) {}

  private static Result run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
