package dev.caplance.linux;

import com.sun.jna.Native;

/**
 * The C library, mapped directly. Pointers and sizes are {@code long}, so that no call creates an
 * object; errors are −1 and {@link Native#getLastError()}.
 */
final class Libc {

  static final int AF_UNIX = 1;
  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  static final int AF_NETLINK = 16;
  static final int AF_PACKET = 17;

  static final int SOCK_DGRAM = 2;
  static final int SOCK_RAW = 3;
  static final int SOCK_CLOEXEC = 0x80000;

  static final int IPPROTO_IP = 0;
  static final int IPPROTO_UDP = 17;
  static final int IPPROTO_IPV6 = 41;
  static final int IPPROTO_ICMPV6 = 58;
  static final int IPPROTO_RAW = 255;

  /** {@code linux/icmpv6.h}: an array of 256 bits; a type whose bit is set is not received. */
  static final int ICMPV6_FILTER = 1;

  static final int SOL_SOCKET = 1;
  static final int SO_SNDBUF = 7;
  static final int SO_RCVBUF = 8;
  static final int SO_RCVTIMEO = 20;
  static final int SO_BINDTODEVICE = 25;
  static final int SO_SNDBUFFORCE = 32;
  static final int SO_RCVBUFFORCE = 33;

  static final int IP_TOS = 1;
  static final int IP_PKTINFO = 8;
  static final int IP_MTU_DISCOVER = 10;
  static final int IP_MTU = 14;
  static final int IP_PMTUDISC_DONT = 0;
  static final int IP_PMTUDISC_DO = 2;
  static final int IPV6_MTU_DISCOVER = 23;
  static final int IPV6_MTU = 24;
  static final int IPV6_V6ONLY = 26;
  static final int IPV6_HDRINCL = 36;
  static final int IPV6_PKTINFO = 50;
  static final int IPV6_TCLASS = 67;

  static final int SOL_PACKET = 263;
  static final int PACKET_VNET_HDR = 15;

  static final int SOL_NETLINK = 270;
  static final int NETLINK_ADD_MEMBERSHIP = 1;

  /** Options and control messages of {@code linux/udp.h}. */
  static final int UDP_SEGMENT = 103;

  static final int UDP_GRO = 104;

  static final int MSG_TRUNC = 0x20;
  static final int MSG_DONTWAIT = 0x40;
  static final int MSG_WAITFORONE = 0x10000;

  /** {@code madvise}: use large pages. */
  static final int MADV_HUGEPAGE = 14;

  static final int SIGKILL = 9;

  static final int PROT_READ_WRITE = 3;
  static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  static {
    Native.register(Libc.class, "libc.so.6");
  }

  private Libc() {}

  /** {@code int socket(int domain, int type, int protocol)}. */
  static native int socket(int domain, int type, int protocol);

  /** {@code int close(int fd)}. */
  static native int close(int fd);

  /** {@code int bind(int fd, const struct sockaddr *addr, socklen_t len)}. */
  static native int bind(int fd, long address, int length);

  /** {@code int connect(int fd, const struct sockaddr *addr, socklen_t len)}. */
  static native int connect(int fd, long address, int length);

  /** {@code int getsockname(int fd, struct sockaddr *addr, socklen_t *len)}. */
  static native int getsockname(int fd, long address, long length);

  /** {@code int setsockopt(int fd, int level, int name, const void *value, socklen_t len)}. */
  static native int setsockopt(int fd, int level, int name, long value, int length);

  /** {@code int getsockopt(int fd, int level, int name, void *value, socklen_t *len)}. */
  static native int getsockopt(int fd, int level, int name, long value, long length);

  /** {@code ssize_t sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t)}. */
  static native long sendto(
      int fd, long buffer, long length, int flags, long address, int addressLength);

  /** {@code ssize_t recv(int fd, void *buffer, size_t length, int flags)}. */
  static native long recv(int fd, long buffer, long length, int flags);

  /** {@code int sendmmsg(int fd, struct mmsghdr *vec, unsigned int vlen, int flags)}. */
  static native int sendmmsg(int fd, long vector, int length, int flags);

  /** {@code int recvmmsg(int, struct mmsghdr *, unsigned int, int, struct timespec *)}. */
  static native int recvmmsg(int fd, long vector, int length, int flags, long timeout);

  /** {@code void *mmap(void *, size_t length, int prot, int flags, int fd, off_t offset)}. */
  static native long mmap(
      long address, long length, int protection, int flags, int fd, long offset);

  /** {@code int madvise(void *address, size_t length, int advice)}. */
  static native int madvise(long address, long length, int advice);

  /** {@code int munmap(void *address, size_t length)}. */
  static native int munmap(long address, long length);

  /** {@code int kill(pid_t pid, int sig)}. */
  static native int kill(int pid, int signal);

  /** {@code char *strerror(int errnum)}. */
  static native String strerror(int errno);
}
