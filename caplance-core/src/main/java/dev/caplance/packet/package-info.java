/**
 * Packets, read and written in place, in buffers in network byte order and with absolute offsets.
 * Nothing here allocates or throws because of what a packet holds: bad input is a {@link
 * dev.caplance.packet.Disposition}. Sockets are unknown here.
 */
package dev.caplance.packet;
