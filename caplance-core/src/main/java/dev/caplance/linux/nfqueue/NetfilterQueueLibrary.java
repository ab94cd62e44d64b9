package dev.caplance.linux.nfqueue;

import com.sun.jna.Native;

/** libnetfilter_queue, directly mapped. Handles are pointers, 0 or −1 means failure and errno. */
final class NetfilterQueueLibrary {

  private static final String FILE = "libnetfilter_queue.so.1";

  static {
    Native.register(NetfilterQueueLibrary.class, FILE);
  }

  private NetfilterQueueLibrary() {}

  /** {@code struct nfq_handle *nfq_open(void)}. */
  static native long nfq_open();

  /** {@code int nfq_close(struct nfq_handle *h)}. */
  static native int nfq_close(long handle);

  /** {@code int nfq_fd(struct nfq_handle *h)}. */
  static native int nfq_fd(long handle);

  /**
   * {@code struct nfq_q_handle *nfq_create_queue(nfq_handle *, uint16_t, nfq_callback *, void *)}.
   */
  static native long nfq_create_queue(long handle, int number, long callback, long data);

  /** {@code int nfq_destroy_queue(struct nfq_q_handle *qh)}. */
  static native int nfq_destroy_queue(long queue);

  /** {@code int nfq_set_queue_flags(struct nfq_q_handle *qh, uint32_t mask, uint32_t flags)}. */
  static native int nfq_set_queue_flags(long queue, int mask, int flags);

  /** {@code int nfq_set_queue_maxlen(struct nfq_q_handle *qh, uint32_t queuelen)}. */
  static native int nfq_set_queue_maxlen(long queue, int length);
}
