/*
 * Offers load: UDP in IPv4 packets of 64 bytes with many source ports, evenly paced, from one core.
 *
 *   offer INTERFACE DESTINATION-MAC SOURCE-IP DESTINATION-IP FLOWS RATE SECONDS DESTINATIONS
 *
 * RATE is in packets per second, 0 for as many as possible. Flows beyond 50,000 use further source
 * addresses, counted up from SOURCE-IP. The flows go to so many DESTINATIONS in turn, counted up from
 * DESTINATION-IP. Prints {"sent": packets, "seconds": time} at the end.
 */
#include "common.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>

enum { PACKET = 64, BATCH = 64, PORTS = 50000, FIRST_PORT = 10000, TARGET_PORT = 9 };

struct frame {
  struct ether_header ethernet;
  struct iphdr ip;
  struct udphdr udp;
  struct stamp stamp;
  char padding[PACKET - sizeof(struct iphdr) - sizeof(struct udphdr) - sizeof(struct stamp)];
} __attribute__((packed));

static uint16_t checksum(const void *data, int bytes) {
  const uint16_t *words = data;
  uint32_t sum = 0;
  for (int i = 0; i < bytes / 2; i++) sum += words[i];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/* A bridge drops frames without a source address. */
static void read_mac(int fd, const char *interface, uint8_t *mac) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &request)) die(interface);
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
}

static void fill(struct frame *frame, int fd, char **argv) {
  memset(frame, 0, sizeof *frame);
  read_mac(fd, argv[1], frame->ethernet.ether_shost);
  if (sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &frame->ethernet.ether_dhost[0],
             &frame->ethernet.ether_dhost[1], &frame->ethernet.ether_dhost[2],
             &frame->ethernet.ether_dhost[3], &frame->ethernet.ether_dhost[4],
             &frame->ethernet.ether_dhost[5]) != 6) {
    fprintf(stderr, "offer: '%s' is not a MAC\n", argv[2]);
    exit(2);
  }
  frame->ethernet.ether_type = htons(ETHERTYPE_IP);
  frame->ip.version = 4;
  frame->ip.ihl = 5;
  frame->ip.tot_len = htons(PACKET);
  frame->ip.ttl = 64;
  frame->ip.protocol = IPPROTO_UDP;
  struct in_addr source, destination;
  if (!inet_aton(argv[3], &source) || !inet_aton(argv[4], &destination)) {
    fprintf(stderr, "offer: not an address: %s or %s\n", argv[3], argv[4]);
    exit(2);
  }
  frame->ip.saddr = source.s_addr;
  frame->ip.daddr = destination.s_addr;
  frame->udp.dest = htons(TARGET_PORT);
  frame->udp.len = htons(PACKET - sizeof(struct iphdr)); /* no checksum: allowed in IPv4 */
}

/* Sets the addresses of one of the flows. */
static void address(struct frame *frame, uint32_t source, uint32_t first, uint32_t destinations,
                    uint64_t flow) {
  uint32_t host = htonl(source + (uint32_t)(flow / PORTS));
  uint32_t destination = htonl(first + (uint32_t)(flow % destinations));
  if (frame->ip.saddr != host || frame->ip.daddr != destination || frame->ip.check == 0) {
    frame->ip.saddr = host;
    frame->ip.daddr = destination;
    frame->ip.check = 0;
    frame->ip.check = checksum(&frame->ip, sizeof frame->ip);
  }
  frame->udp.source = htons((uint16_t)(FIRST_PORT + flow % PORTS));
}

int main(int argc, char **argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: offer INTERFACE MAC SOURCE DESTINATION FLOWS RATE SECONDS DESTINATIONS\n");
    return 2;
  }
  uint64_t flows = (uint64_t)number(argv[5], "flows");
  uint64_t rate = (uint64_t)number(argv[6], "rate");
  uint64_t duration = (uint64_t)number(argv[7], "seconds") * 1000000000u;
  uint32_t destinations = (uint32_t)number(argv[8], "destinations");
  if (destinations == 0) {
    fprintf(stderr, "offer: DESTINATIONS must not be 0\n");
    return 2;
  }
  stop_on_signals();
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) die("socket(packet)");
  int on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on)) die("PACKET_QDISC_BYPASS");
  struct sockaddr_ll link = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETHERTYPE_IP),
                             .sll_ifindex = (int)if_nametoindex(argv[1]),
                             .sll_halen = 6};
  static struct frame frames[BATCH];
  static struct iovec pieces[BATCH];
  static struct mmsghdr messages[BATCH];
  for (int i = 0; i < BATCH; i++) {
    fill(&frames[i], fd, argv);
    pieces[i] = (struct iovec){&frames[i], sizeof frames[i]};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &link, .msg_namelen = sizeof link, .msg_iov = &pieces[i], .msg_iovlen = 1};
  }
  uint32_t source = ntohl(frames[0].ip.saddr), first = ntohl(frames[0].ip.daddr);
  uint64_t sent = 0, start = now_nanos(), now = start;
  while (!stopped && now - start < duration) {
    uint64_t due = rate ? (now - start) * rate / 1000000000u : sent + BATCH;
    int count = due - sent > BATCH ? BATCH : (int)(due - sent);
    for (int i = 0; i < count; i++) {
      address(&frames[i], source, first, destinations, (sent + (uint64_t)i) % flows);
      frames[i].stamp = (struct stamp){now, sent + (uint64_t)i};
    }
    if (count > 0) {
      int done = sendmmsg(fd, messages, (unsigned)count, 0);
      if (done < 0 && errno != ENOBUFS && errno != EINTR) die("sendmmsg");
      if (done > 0) sent += (uint64_t)done;
    }
    now = now_nanos();
  }
  printf("{\"sent\": %llu, \"seconds\": %.6f}\n", (unsigned long long)sent,
         (double)(now - start) / 1e9);
  return 0;
}
