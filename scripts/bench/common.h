/* What the programs of the benchmark share. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What each packet carries, so that its latency can be measured. */
struct stamp {
  uint64_t nanos; /* CLOCK_MONOTONIC when it was sent: the same clock in every namespace */
  uint64_t number;
};

static inline uint64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

static inline long number(const char *text, const char *what) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*text == 0 || *end != 0 || value < 0) {
    fprintf(stderr, "%s: '%s' is not a number\n", what, text);
    exit(2);
  }
  return value;
}

static volatile sig_atomic_t stopped;

static void on_signal(int signal_number) {
  (void)signal_number;
  stopped = 1;
}

/* SIGTERM and SIGINT set `stopped` and interrupt system calls. */
static inline void stop_on_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
}

#endif
