package dev.caplance.lb;

import dev.caplance.packet.FlowHash;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * Keeps the key of the flow hash in {@code <stateDirectory>/hash.key} if the configuration sets
 * none. The key is generated at the first start and survives restarts, so that flows map to the
 * same backends afterwards.
 */
final class HashKeyStore {

  private static final String FILE = "hash.key";

  private HashKeyStore() {}

  /**
   * Returns the stored key, or generates and stores one if there is none.
   *
   * @return {@link FlowHash#KEY_LENGTH} bytes
   * @throws IOException if the file holds no key, or cannot be read or written
   */
  static byte[] loadOrCreate(Path stateDirectory) throws IOException {
    Path file = stateDirectory.resolve(FILE);
    try {
      return parse(file, Files.readString(file).strip());
    } catch (NoSuchFileException e) {
      return create(file);
    }
  }

  private static byte[] parse(Path file, String text) throws IOException {
    try {
      byte[] key = HexFormat.of().parseHex(text);
      if (key.length == FlowHash.KEY_LENGTH) {
        return key;
      }
    } catch (IllegalArgumentException e) {
      throw new IOException(notAKey(file), e);
    }
    throw new IOException(notAKey(file));
  }

  private static String notAKey(Path file) {
    return file
        + " does not hold a key of 32 hexadecimal digits; remove it to have a new one generated, or"
        + " set 'hashKey' in the configuration";
  }

  private static byte[] create(Path file) throws IOException {
    byte[] key = new byte[FlowHash.KEY_LENGTH];
    new SecureRandom().nextBytes(key);
    try {
      Files.createDirectories(file.getParent());
      Path draft = file.resolveSibling(FILE + ".new");
      Files.deleteIfExists(draft);
      Files.createFile(
          draft,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(draft, HexFormat.of().formatHex(key) + "\n");
      Files.move(draft, file);
    } catch (FileAlreadyExistsException e) {
      return loadOrCreate(file.getParent());
    } catch (IOException e) {
      throw new IOException(
          "cannot write " + file + ": " + e + "; set 'stateDirectory' or 'hashKey'", e);
    }
    return key;
  }
}
