/*
 * A load balancer as a C programmer would write it on NFQUEUE: take up to 256 packets in one call,
 * look each up in a Maglev table, send them on wrapped in UDP in one call, drop the originals with
 * one verdict. It knows IPv4 with TCP and UDP only, no flows, no sessions, and checks nothing.
 *
 *   reference QUEUE COUNTER-FILE BACKEND-IP…
 *
 * Keeps the number of packets that it sent on, eight bytes, in COUNTER-FILE.
 */
#include "common.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <sys/mman.h>

enum { BATCH = 256, SLOT = 4096, SLOTS = 65537, MOST = 256, DATA_PORT = 1337, LENGTH = 8192 };

static char data[BATCH][SLOT];
static uint8_t table[SLOTS];
static struct sockaddr_in backends[MOST];

static uint64_t mix(uint64_t x) { /* the finaliser of splitmix64 */
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* Maglev: A Fast and Reliable Software Network Load Balancer, section 3.4. */
static void build_table(int count) {
  uint32_t offset[MOST], skip[MOST], next[MOST] = {0};
  for (int i = 0; i < count; i++) {
    uint64_t hash = mix(backends[i].sin_addr.s_addr);
    offset[i] = (uint32_t)(hash % SLOTS);
    skip[i] = (uint32_t)(mix(hash) % (SLOTS - 1)) + 1;
  }
  memset(table, 0xff, sizeof table);
  for (int filled = 0, i = 0; filled < SLOTS; i = (i + 1) % count) {
    uint32_t slot;
    do {
      slot = (uint32_t)((offset[i] + (uint64_t)skip[i] * next[i]++) % SLOTS);
    } while (table[slot] != 0xff);
    table[slot] = (uint8_t)i;
    filled++;
  }
}

struct request {
  struct nlmsghdr header;
  struct nfgenmsg generic;
  char attributes[64];
};

static struct request request(int type, int queue) {
  struct request r = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg)),
                                 .nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type),
                                 .nlmsg_flags = NLM_F_REQUEST},
                      .generic = {.nfgen_family = AF_UNSPEC,
                                  .version = NFNETLINK_V0,
                                  .res_id = htons((uint16_t)queue)}};
  return r;
}

static void add_attribute(struct request *r, int type, const void *value, size_t length) {
  struct nlattr *attribute = (struct nlattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));
  attribute->nla_type = (uint16_t)type;
  attribute->nla_len = (uint16_t)(NLA_HDRLEN + length);
  memcpy((char *)attribute + NLA_HDRLEN, value, length);
  r->header.nlmsg_len += NLA_ALIGN(attribute->nla_len);
}

static void tell(int fd, struct request *r) {
  if (send(fd, r, r->header.nlmsg_len, 0) < 0) die("send(netlink)");
}

static int open_queue(int queue) {
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  if (fd < 0) die("socket(netlink)");
  int room = 32 << 20, on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room)) die("SO_RCVBUFFORCE");
  if (setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on)) die("NETLINK_NO_ENOBUFS");
  struct request bind_request = request(NFQNL_MSG_CONFIG, queue);
  struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_BIND};
  add_attribute(&bind_request, NFQA_CFG_CMD, &command, sizeof command);
  tell(fd, &bind_request);
  struct request parameters = request(NFQNL_MSG_CONFIG, queue);
  struct nfqnl_msg_config_params copy = {.copy_range = htonl(0xffff),
                                         .copy_mode = NFQNL_COPY_PACKET};
  uint32_t length = htonl(LENGTH);
  add_attribute(&parameters, NFQA_CFG_PARAMS, &copy, sizeof copy);
  add_attribute(&parameters, NFQA_CFG_QUEUE_MAXLEN, &length, sizeof length);
  tell(fd, &parameters);
  return fd;
}

/* Finds the packet in a message, and its number for the verdict. */
static const struct iphdr *find_packet(struct nlmsghdr *message, size_t *length, uint32_t *id) {
  if (message->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) return NULL;
  const struct iphdr *packet = NULL;
  char *at = (char *)message + NLMSG_LENGTH(sizeof(struct nfgenmsg));
  char *end = (char *)message + message->nlmsg_len;
  while (at + NLA_HDRLEN <= end) {
    struct nlattr *attribute = (struct nlattr *)at;
    char *value = at + NLA_HDRLEN;
    if ((attribute->nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR) {
      *id = ((struct nfqnl_msg_packet_hdr *)value)->packet_id;
    } else if ((attribute->nla_type & NLA_TYPE_MASK) == NFQA_PAYLOAD) {
      packet = (const struct iphdr *)value;
      *length = (size_t)attribute->nla_len - NLA_HDRLEN;
    }
    at += NLA_ALIGN(attribute->nla_len);
  }
  return packet;
}

static struct sockaddr_in *choose(const struct iphdr *packet) {
  uint32_t ports;
  memcpy(&ports, (const char *)packet + packet->ihl * 4, sizeof ports);
  uint64_t hash = mix((uint64_t)packet->saddr << 32 | packet->daddr);
  hash = mix(hash ^ ports ^ (uint64_t)packet->protocol << 32);
  return &backends[table[hash % SLOTS]];
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 3 + MOST) {
    fprintf(stderr, "usage: reference QUEUE COUNTER-FILE BACKEND-IP...\n");
    return 2;
  }
  int queue = (int)number(argv[1], "queue");
  int file = open(argv[2], O_RDWR | O_CREAT, 0644);
  if (file < 0 || ftruncate(file, sizeof(uint64_t))) die(argv[2]);
  volatile uint64_t *sent_on =
      mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (sent_on == MAP_FAILED) die("mmap");
  for (int i = 0; i < argc - 3; i++) {
    backends[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(DATA_PORT)};
    if (!inet_aton(argv[3 + i], &backends[i].sin_addr)) die(argv[3 + i]);
  }
  build_table(argc - 3);
  int out = socket(AF_INET, SOCK_DGRAM, 0);
  if (out < 0) die("socket(udp)");
  int in = open_queue(queue);
  struct request verdict = request(NFQNL_MSG_VERDICT_BATCH, queue);
  struct nfqnl_msg_verdict_hdr drop = {.verdict = htonl(NF_DROP)};
  add_attribute(&verdict, NFQA_VERDICT_HDR, &drop, sizeof drop);
  uint32_t *verdict_id = (uint32_t *)(verdict.attributes + NLA_HDRLEN + 4);

  static struct iovec in_pieces[BATCH], out_pieces[BATCH];
  static struct mmsghdr in_messages[BATCH], out_messages[BATCH];
  for (int i = 0; i < BATCH; i++) {
    in_pieces[i] = (struct iovec){data[i], SLOT};
    in_messages[i].msg_hdr.msg_iov = &in_pieces[i];
    in_messages[i].msg_hdr.msg_iovlen = 1;
    out_messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
    out_messages[i].msg_hdr.msg_iov = &out_pieces[i];
    out_messages[i].msg_hdr.msg_iovlen = 1;
  }
  stop_on_signals();
  while (!stopped) {
    int count = recvmmsg(in, in_messages, BATCH, MSG_WAITFORONE, NULL);
    unsigned waiting = 0;
    for (int i = 0; i < count; i++) {
      size_t length = 0;
      const struct iphdr *packet =
          find_packet((struct nlmsghdr *)data[i], &length, verdict_id);
      if (!packet) continue;
      out_pieces[waiting] = (struct iovec){(void *)packet, length};
      out_messages[waiting++].msg_hdr.msg_name = choose(packet);
    }
    if (waiting == 0) continue;
    for (unsigned next = 0; next < waiting;) {
      int done = sendmmsg(out, out_messages + next, waiting - next, 0);
      next += done > 0 ? (unsigned)done : 1;
      if (done > 0) *sent_on += (uint64_t)done;
    }
    tell(in, &verdict);
  }
  return 0;
}
