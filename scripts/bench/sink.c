/*
 * Receives and counts, in several namespaces at once.
 *
 *   sink HEADER PORT NAMESPACE=ADDRESS…
 *
 * HEADER is the number of bytes before the stamp in each datagram: 28 where datagrams hold whole
 * packets, 0 where they are the packets' content. Datagrams that the kernel joined (UDP_GRO) are
 * counted one by one. On SIGTERM it prints {"received": datagrams, "nanos": {"p50": …}}: the time
 * from sending to here.
 */
#include "common.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>

enum { BATCH = 64, SLOT = 65536, MOST = 8, UDP_GRO_OPTION = 104, SAMPLES = 4 << 20 };

static char data[BATCH][SLOT];
static uint32_t samples[SAMPLES];
static uint64_t received;

static int open_socket(char *where, int port) {
  char *address = strchr(where, '=');
  if (!address) {
    fprintf(stderr, "sink: '%s' is not NAMESPACE=ADDRESS\n", where);
    exit(2);
  }
  *address++ = 0;
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", where);
  int namespace = open(path, O_RDONLY);
  if (namespace < 0 || setns(namespace, CLONE_NEWNET)) die(path);
  close(namespace);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) die("socket(udp)");
  int room = 64 << 20, on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room)) die("SO_RCVBUFFORCE");
  if (setsockopt(fd, IPPROTO_UDP, UDP_GRO_OPTION, &on, sizeof on)) die("UDP_GRO");
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (!inet_aton(address, &local.sin_addr)) {
    fprintf(stderr, "sink: '%s' is not an address\n", address);
    exit(2);
  }
  if (bind(fd, (struct sockaddr *)&local, sizeof local)) die("bind");
  return fd;
}

static void count(const char *message, size_t length, size_t size, size_t header) {
  uint64_t now = now_nanos();
  for (size_t at = 0; at < length; at += size) {
    struct stamp stamp;
    if (at + header + sizeof stamp > length) return;
    memcpy(&stamp, message + at + header, sizeof stamp);
    uint64_t taken = now - stamp.nanos;
    samples[received++ % SAMPLES] = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
  }
}

static size_t datagram_size(struct msghdr *header, size_t length) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO_OPTION) {
      int size;
      memcpy(&size, CMSG_DATA(c), sizeof size);
      if (size > 0) return (size_t)size;
    }
  }
  return length ? length : 1;
}

static void take(int fd, size_t header) {
  static struct iovec pieces[BATCH];
  static struct mmsghdr messages[BATCH];
  static char controls[BATCH][64];
  for (int i = 0; i < BATCH; i++) {
    pieces[i] = (struct iovec){data[i], SLOT};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i],
                                          .msg_iovlen = 1,
                                          .msg_control = controls[i],
                                          .msg_controllen = sizeof controls[i]};
  }
  int taken = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < taken; i++) {
    count(data[i], messages[i].msg_len, datagram_size(&messages[i].msg_hdr, messages[i].msg_len),
          header);
  }
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static double quantile(size_t n, double share) {
  return n == 0 ? 0 : samples[(size_t)((double)(n - 1) * share)];
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 3 + MOST) {
    fprintf(stderr, "usage: sink HEADER PORT NAMESPACE=ADDRESS...\n");
    return 2;
  }
  size_t header = (size_t)number(argv[1], "header");
  int port = (int)number(argv[2], "port");
  struct pollfd sockets[MOST];
  int sources = argc - 3;
  for (int i = 0; i < sources; i++) {
    sockets[i] = (struct pollfd){.fd = open_socket(argv[3 + i], port), .events = POLLIN};
  }
  stop_on_signals();
  puts("ready");
  fflush(stdout);
  while (!stopped) {
    if (poll(sockets, (nfds_t)sources, -1) <= 0) continue;
    for (int i = 0; i < sources; i++) {
      if (sockets[i].revents) take(sockets[i].fd, header);
    }
  }
  size_t n = received < SAMPLES ? (size_t)received : SAMPLES;
  qsort(samples, n, sizeof samples[0], ascending);
  printf("{\"received\": %llu, \"nanos\": {", (unsigned long long)received);
  printf("\"p50\": %.0f, \"p99\": %.0f, \"p99.9\": %.0f, \"most\": %.0f}}\n", quantile(n, 0.5),
         quantile(n, 0.99), quantile(n, 0.999), quantile(n, 1));
  return 0;
}
