package dev.caplance.lb;

import dev.caplance.host.StateFile;
import dev.caplance.packet.FlowHash;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Keeps the key of the flow hash in {@code <stateDirectory>/hash.key} if the configuration sets
 * none. The key is generated at the first start and survives restarts, so that flows map to the
 * same backends afterwards. A load balancer without it would be no better than one with a new key,
 * so a damaged file is set aside.
 */
final class HashKeyStore {

  private static final String FILE = "hash.key";

  /** A key with some white space around it. */
  private static final int MAX_BYTES = 1024;

  private HashKeyStore() {}

  /**
   * Returns the stored key, or generates and stores one if there is none or the file is damaged.
   *
   * @return {@link FlowHash#KEY_LENGTH} bytes
   * @throws IOException if the file cannot be read or written
   */
  static byte[] loadOrCreate(Path stateDirectory) throws IOException {
    StateFile file = new StateFile(stateDirectory.resolve(FILE), MAX_BYTES);
    try {
      Optional<String> text = file.read();
      if (text.isPresent()) {
        Optional<byte[]> key = parse(text.get().strip());
        if (key.isPresent()) {
          return key.get();
        }
        file.setAside("it does not hold a key of 32 hexadecimal digits");
      }
      return create(file);
    } catch (IOException e) {
      throw new IOException(e.getMessage() + "; or set 'stateDirectory' or 'hashKey'", e);
    }
  }

  private static Optional<byte[]> parse(String text) {
    try {
      return Optional.of(HexFormat.of().parseHex(text))
          .filter(key -> key.length == FlowHash.KEY_LENGTH);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static byte[] create(StateFile file) throws IOException {
    byte[] key = new byte[FlowHash.KEY_LENGTH];
    new SecureRandom().nextBytes(key);
    file.write(HexFormat.of().formatHex(key) + "\n");
    return key;
  }
}
