package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small text file in which a daemon keeps something for its next start, whatever has become of
 * the file meanwhile.
 *
 * <p>Only a regular file of bounded size is ever opened: a symbolic link is not followed, a pipe
 * cannot block the daemon, a huge file cannot exhaust its memory. Anything else under this name,
 * and content that its owner does not accept, is renamed to {@code NAME.damaged} with a warning,
 * and the daemon goes on as if there were no file. A file is replaced as a whole and reaches the
 * disk before it gets its name, so that a crash leaves either the old content or the new. Only the
 * daemon's user can read it.
 *
 * <p>Used by one thread at a time.
 */
public final class StateFile {

  private static final Logger LOG = LoggerFactory.getLogger(StateFile.class);

  private static final Set<PosixFilePermission> OWNER_ONLY =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final Path path;
  private final int maxBytes;

  /**
   * The file under a path, which need not exist.
   *
   * @param maxBytes how long the content may be, when it is read and when it is written
   */
  public StateFile(Path path, int maxBytes) {
    this.path = path;
    this.maxBytes = maxBytes;
  }

  public Path path() {
    return path;
  }

  /**
   * Reads the content.
   *
   * @return the text; empty if there is no file, or a damaged one, which is then set aside
   * @throws IOException when the file cannot be read, or a damaged one cannot be set aside; the
   *     message is for the operator
   */
  public Optional<String> read() throws IOException {
    try {
      String damage = damage(path, maxBytes);
      if (damage == null) {
        byte[] bytes = bytes();
        if (bytes.length <= maxBytes) {
          return Optional.of(UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        }
        damage = tooLong(maxBytes);
      }
      setAside(damage);
      return Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (CharacterCodingException e) {
      setAside("it is not text");
      return Optional.empty();
    } catch (AccessDeniedException e) {
      throw new IOException(
          "no permission to read " + path + "; it must belong to the user of the daemon", e);
    }
  }

  private byte[] bytes() throws IOException {
    try (InputStream in = Files.newInputStream(path, READ, NOFOLLOW_LINKS)) {
      return in.readNBytes(maxBytes + 1);
    }
  }

  /**
   * Renames the file to {@code NAME.damaged}, in place of an earlier one, and logs a warning.
   *
   * @param damage what is wrong with it: {@code it is empty}
   * @throws IOException when it cannot be renamed; the message is for the operator
   */
  public void setAside(String damage) throws IOException {
    Path aside = path.resolveSibling(path.getFileName() + ".damaged");
    try {
      Files.move(path, aside, ATOMIC_MOVE);
    } catch (IOException e) {
      throw new IOException(
          path + " is damaged: " + damage + ", and it cannot be renamed: " + e + "; remove it", e);
    }
    LOG.warn(
        "{} is damaged: {}; it is {} now, and the daemon goes on without", path, damage, aside);
  }

  /**
   * Replaces the content, and creates the directory if necessary.
   *
   * @throws IOException when that fails; the earlier content, if any, is then still there. The
   *     message is for the operator
   */
  public void write(String text) throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    if (bytes.length > maxBytes) {
      throw new IOException("cannot write " + path + ": " + tooLong(maxBytes));
    }
    try {
      Path directory = path.toAbsolutePath().getParent();
      Files.createDirectories(directory);
      Path draft = path.resolveSibling(path.getFileName() + ".new");
      Files.deleteIfExists(draft);
      writeDraft(draft, bytes);
      Files.move(draft, path, ATOMIC_MOVE);
      force(directory);
    } catch (IOException e) {
      throw new IOException("cannot write " + path + ": " + e, e);
    }
  }

  private static void writeDraft(Path draft, byte[] bytes) throws IOException {
    Set<OpenOption> options = Set.of(CREATE_NEW, WRITE, NOFOLLOW_LINKS);
    try (FileChannel channel =
        FileChannel.open(draft, options, PosixFilePermissions.asFileAttribute(OWNER_ONLY))) {
      for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining(); ) {
        channel.write(rest);
      }
      channel.force(true);
    }
  }

  /** A new name is on disk when its directory is. */
  private static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, READ)) {
      channel.force(true);
    }
  }

  /**
   * Opens a file to be read and written in place, or creates it; for those that are also a lock.
   *
   * @param maxBytes how long it may be
   * @throws IOException when it cannot be opened, or a damaged one cannot be set aside
   */
  static FileChannel openToUpdate(Path path, int maxBytes) throws IOException {
    Files.createDirectories(path.toAbsolutePath().getParent());
    try {
      String damage = damage(path, maxBytes);
      if (damage == null) {
        return FileChannel.open(path, READ, WRITE, NOFOLLOW_LINKS);
      }
      new StateFile(path, maxBytes).setAside(damage);
    } catch (NoSuchFileException e) {
      // The usual case at the first start.
    }
    return FileChannel.open(
        path,
        Set.of(CREATE_NEW, READ, WRITE, NOFOLLOW_LINKS),
        PosixFilePermissions.asFileAttribute(OWNER_ONLY));
  }

  /** What keeps a file from being opened; null if nothing does. */
  private static String damage(Path path, int maxBytes) throws IOException {
    BasicFileAttributes attributes =
        Files.readAttributes(path, BasicFileAttributes.class, NOFOLLOW_LINKS);
    if (attributes.isSymbolicLink()) {
      return "it is a symbolic link, which is not followed";
    }
    if (!attributes.isRegularFile()) {
      return "it is not a regular file";
    }
    return attributes.size() > maxBytes ? tooLong(maxBytes) : null;
  }

  private static String tooLong(int maxBytes) {
    return "it is longer than " + maxBytes + " bytes";
  }
}
