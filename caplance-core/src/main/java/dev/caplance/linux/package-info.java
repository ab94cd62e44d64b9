/**
 * The only code that calls the operating system natively: memory outside the heap, sockets that
 * send and receive in batches, raw sockets. Everything assumes Linux on a 64-bit little-endian
 * machine (x86-64, AArch64). Packets and sessions are unknown here; addresses are bytes.
 */
package dev.caplance.linux;
