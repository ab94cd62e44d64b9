package dev.caplance.lb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HashKeyStoreTest {

  @TempDir private Path directory;

  @Test
  void generatesAKeyOnceAndKeepsItPrivate() throws IOException {
    Path state = directory.resolve("state");
    byte[] key = HashKeyStore.loadOrCreate(state);
    assertThat(key).hasSize(16).isNotEqualTo(new byte[16]);
    assertThat(HashKeyStore.loadOrCreate(state)).isEqualTo(key);
    assertThat(HashKeyStore.loadOrCreate(directory.resolve("other"))).isNotEqualTo(key);
    assertThat(Files.getPosixFilePermissions(state.resolve("hash.key")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "abc", "zz112233445566778899aabbccddeeff", "00112233"})
  void setsAFileWithoutAKeyAsideAndGeneratesOne(String content) throws IOException {
    Files.writeString(directory.resolve("hash.key"), content);
    byte[] key = HashKeyStore.loadOrCreate(directory);
    assertThat(key).hasSize(16);
    assertThat(HashKeyStore.loadOrCreate(directory)).isEqualTo(key);
    assertThat(directory.resolve("hash.key.damaged")).hasContent(content);
  }

  /** It was an endless recursion once. */
  @Test
  void aDanglingLinkIsSetAside() throws IOException {
    Files.createSymbolicLink(directory.resolve("hash.key"), Path.of("nowhere"));
    byte[] key = HashKeyStore.loadOrCreate(directory);
    assertThat(HashKeyStore.loadOrCreate(directory)).isEqualTo(key);
  }

  @Test
  void whatCannotBeWrittenIsAnErrorInWords() throws IOException {
    Path occupied = Files.createFile(directory.resolve("occupied"));
    assertThatThrownBy(() -> HashKeyStore.loadOrCreate(occupied))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("hash.key")
        .hasMessageEndingWith("; or set 'stateDirectory' or 'hashKey'");
  }
}
