package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The daemons of a commit before this one, made from the repository's history. They run with the
 * libraries of this build. A checkout without that commit fetches it from {@code origin}; where
 * that is impossible, {@value #OTHER} in the environment names a launcher of another build.
 */
final class PreviousBuild {

  /** Before version 2 of the session protocol got its repeated path probe. */
  private static final String COMMIT = "89ca82eb2794593b983e09936f4c9a6651e45dd7";

  private static final String OTHER = "CAPLANCE_PREVIOUS";
  private static final List<String> MODULES =
      List.of("caplance-core", "caplance-lb", "caplance-backend", "caplance-dist");

  private final Path directory = Lab.ROOT.resolve("caplance-dist/target/previous").resolve(COMMIT);
  private final Path jar = directory.resolve("share/caplance/caplance.jar");

  private PreviousBuild() {}

  /** Its {@code scripts/caplance}; the first call makes the build, which takes some ten seconds. */
  static synchronized String launcher() {
    String other = System.getenv(OTHER);
    return other == null ? new PreviousBuild().build() : other;
  }

  private String build() {
    Path launcher = directory.resolve("scripts/caplance");
    try {
      if (!Files.exists(jar)) {
        Files.createDirectories(directory);
        extract();
        compile();
        pack();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return launcher.toString();
  }

  private static Lab.Result git(String... command) {
    List<String> line = new ArrayList<>(List.of("git", "-c", "safe.directory=*", "-C"));
    line.add(Lab.ROOT.toString());
    line.addAll(List.of(command));
    return Lab.run(line.toArray(String[]::new));
  }

  private void extract() {
    if (git("cat-file", "-e", COMMIT).exit() != 0) {
      Lab.Result fetch = git("fetch", "--quiet", "--depth", "1", "origin", COMMIT);
      assertThat(fetch.exit())
          .as(
              "commit %s, whose daemons must work with these, is neither in this checkout nor at"
                  + " origin (%s). Get the whole history (git fetch --unshallow), or name the"
                  + " scripts/caplance of a checkout of it that is built in %s",
              COMMIT, fetch.err().strip(), OTHER)
          .isZero();
    }
    List<String> archive = new ArrayList<>(List.of("archive", "--output", tar(), COMMIT));
    archive.add("scripts/caplance");
    MODULES.forEach(module -> archive.add(module + "/src/main"));
    git(archive.toArray(String[]::new)).succeeded();
    Lab.run("tar", "-xf", tar(), "-C", directory.toString()).succeeded();
  }

  private String tar() {
    return directory.resolve("sources.tar").toString();
  }

  private void compile() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<Path> sources = new ArrayList<>();
    for (String module : MODULES) {
      sources.addAll(files(directory.resolve(module).resolve("src/main/java")));
    }
    StringWriter messages = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of(
              "-d",
              classes().toString(),
              "-proc:none",
              "-nowarn",
              "--release",
              "17",
              "-cp",
              System.getProperty("java.class.path"));
      boolean done =
          compiler
              .getTask(
                  messages, files, null, options, null, files.getJavaFileObjectsFromPaths(sources))
              .call();
      assertThat(done).as("compilation of %s: %s", COMMIT, messages).isTrue();
    }
  }

  private Path classes() {
    return directory.resolve("classes");
  }

  /** Its own classes; the libraries are those in the jar of this build, which comes after them. */
  private void pack() throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.put(Attributes.Name.MAIN_CLASS, "dev.caplance.Main");
    attributes.put(
        Attributes.Name.CLASS_PATH, Path.of(System.getProperty("caplance.jar")).toUri().toString());
    Files.createDirectories(jar.getParent());
    Path unfinished = jar.resolveSibling("unfinished.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(unfinished), manifest)) {
      for (Path file : files(classes())) {
        out.putNextEntry(new JarEntry(classes().relativize(file).toString()));
        Files.copy(file, out);
      }
    }
    Files.move(unfinished, jar);
  }

  private static List<Path> files(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
