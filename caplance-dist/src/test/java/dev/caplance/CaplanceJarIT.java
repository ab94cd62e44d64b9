package dev.caplance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The jar as it is shipped, and its launcher. */
class CaplanceJarIT {

  private static final Path JAR = Path.of(System.getProperty("caplance.jar"));
  private static final Path LAUNCHER =
      Path.of(System.getProperty("caplance.root"), "scripts/caplance");
  private static final Pattern ARTIFACT =
      Pattern.compile("META-INF/maven/(?!dev\\.caplance/)[^/]+/([^/]+)/pom\\.properties");

  private static String run(int expectedExitCode, String... args) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(LAUNCHER.toString()).redirectErrorStream(true);
    builder.command().addAll(List.of(args));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isEqualTo(expectedExitCode);
    return output;
  }

  private static String content(JarFile jar, String name) throws IOException {
    try (InputStream in = jar.getInputStream(jar.getEntry(name))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void knowsItsVersion() throws Exception {
    assertThat(run(0, "--version")).matches("caplance [0-9]+\\.[0-9]+\\.[0-9]+\\S*\n");
  }

  @Test
  void endsWithTwoWhenTheCommandLineIsWrong() throws Exception {
    assertThat(run(2, "--colour")).contains("--colour", "Try 'caplance --help' for help.");
  }

  @Test
  void isOneRunnableJarThatMayCallNativeCode() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      Attributes attributes = jar.getManifest().getMainAttributes();
      assertThat(attributes.getValue("Main-Class")).isEqualTo("dev.caplance.Main");
      assertThat(attributes.getValue("Enable-Native-Access")).isEqualTo("ALL-UNNAMED");
      assertThat(jar.stream().map(entry -> entry.getName()))
          .contains(
              "com/sun/jna/linux-x86-64/libjnidispatch.so",
              "com/sun/jna/linux-aarch64/libjnidispatch.so",
              "jni/x86_64-Linux/libjffi-1.2.so",
              "jni/aarch64-Linux/libjffi-1.2.so",
              "META-INF/services/org.slf4j.spi.SLF4JServiceProvider")
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void namesTheLicenceOfAllThatItHolds() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      String notice = content(jar, "META-INF/NOTICE");
      assertThat(content(jar, "META-INF/LICENSE")).contains("Apache License");
      List<String> artifacts =
          jar.stream()
              .map(entry -> ARTIFACT.matcher(entry.getName()))
              .filter(Matcher::matches)
              .map(matcher -> matcher.group(1))
              .toList();
      assertThat(artifacts).contains("jffi", "jnr-unixsocket", "logback-classic");
      assertThat(artifacts)
          .allSatisfy(artifact -> assertThat(notice).contains(" " + artifact + " "));
    }
  }
}
