/**
 * NFQUEUE: packets that a netfilter rule hands to a process. Set up with libnetfilter_queue;
 * packets and verdicts then go in batches over its netlink socket ({@code
 * linux/netfilter/nfnetlink_queue.h}). What the packets are is unknown here.
 */
package dev.caplance.linux.nfqueue;
