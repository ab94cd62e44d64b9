package dev.caplance.linux;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A zeroed block of memory outside the heap, page aligned, whose pages become resident only when
 * they are touched. Its owner closes it when nothing uses the buffers or the address any more.
 */
public final class NativeMemory implements AutoCloseable {

  private static final int LARGE_PAGE = 2 << 20;

  private final long address;
  private final int size;
  private final ByteBuffer bytes;
  private final AtomicBoolean closed = new AtomicBoolean();

  private NativeMemory(long address, int size) {
    this.address = address;
    this.size = size;
    this.bytes = new Pointer(address).getByteBuffer(0, size);
  }

  /**
   * Maps a block of {@code size} bytes.
   *
   * @throws OutOfMemoryError when the kernel refuses
   */
  public static NativeMemory allocate(int size) {
    long address = Libc.mmap(0, size, Libc.PROT_READ_WRITE, Libc.MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (address == -1) {
      throw new OutOfMemoryError(
          "mmap(" + size + ") failed with error(" + Native.getLastError() + ")");
    }
    return new NativeMemory(address, size);
  }

  /**
   * The same for a large block with random access: in large pages where the kernel has them, so
   * that an access costs one cache miss and not two.
   */
  public static NativeMemory allocateForRandomAccess(int size) {
    NativeMemory memory = allocate(size);
    if (size >= LARGE_PAGE) {
      Libc.madvise(memory.address, size, Libc.MADV_HUGEPAGE); // Only advice: it may be ignored.
    }
    return memory;
  }

  /** Where the block begins. */
  public long address() {
    return address;
  }

  /** The whole block in network byte order: for what goes over a wire. */
  public ByteBuffer networkBytes() {
    return bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
  }

  /** The whole block in the machine's byte order: for structures of the kernel. */
  public ByteBuffer nativeBytes() {
    return bytes.duplicate().order(ByteOrder.nativeOrder());
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Libc.munmap(address, size);
    }
  }
}
