/**
 * NFQUEUE: packets that a netfilter rule hands to a process. Set up with libnetfilter_queue, then
 * read and judged in batches on its netlink socket ({@code linux/netfilter/nfnetlink_queue.h}).
 * What the packets are is unknown here.
 */
package dev.caplance.linux.nfqueue;
