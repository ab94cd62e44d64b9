/**
 * Taking this backend out without breaking a connection: {@link dev.caplance.backend.drain.Drainer}
 * keeps new flows away and waits until the connections that the application has are gone, which
 * only this machine can see.
 */
package dev.caplance.backend.drain;
