package dev.caplance.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.session.BackendIntent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator said, from one start to the next. */
class IntentStoreTest {

  @TempDir private Path directory;

  private BackendIntent recalled() {
    try (IntentStore store = new IntentStore(directory)) {
      return store.recall();
    }
  }

  private void remember(BackendIntent... intents) throws Exception {
    try (IntentStore store = new IntentStore(directory)) {
      for (BackendIntent intent : intents) {
        store.remember(intent).get(60, TimeUnit.SECONDS);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyIntentOutlivesTheDaemon(BackendIntent intent) throws Exception {
    remember(BackendIntent.PAUSED, BackendIntent.ACTIVE, intent);
    assertThat(recalled()).isEqualTo(intent);
  }

  @Test
  void aNewBackendIsActive() {
    assertThat(recalled()).isEqualTo(BackendIntent.ACTIVE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "pause", "paused paused"})
  void aDamagedFileIsSetAside(String content) throws Exception {
    Path file = directory.resolve("backend.intent");
    Files.writeString(file, content);
    assertThat(recalled()).isEqualTo(BackendIntent.ACTIVE);
    assertThat(directory.resolve("backend.intent.damaged")).hasContent(content);
    assertThat(file).doesNotExist();
  }

  /** The command itself is obeyed; only a warning says that it will be forgotten. */
  @Test
  void whereNothingCanBeWrittenACommandStillSucceeds() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    try (IntentStore store = new IntentStore(file)) {
      store.remember(BackendIntent.PAUSED).get(60, TimeUnit.SECONDS);
      assertThat(store.recall()).isEqualTo(BackendIntent.ACTIVE);
    }
  }
}
