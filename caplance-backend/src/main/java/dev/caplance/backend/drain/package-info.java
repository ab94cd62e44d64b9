/**
 * Takes this backend out of service without breaking a connection: {@link
 * dev.caplance.backend.drain.Drainer} keeps new flows away and waits until clients have closed
 * their connections to the application, which only this machine can see.
 */
package dev.caplance.backend.drain;
