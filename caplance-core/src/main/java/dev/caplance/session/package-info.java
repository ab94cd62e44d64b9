/**
 * Sessions between backends and load balancers: lines over TCP, the messages in them and their one
 * codec, and the event loop that carries them. Does not know what a message leads to.
 */
package dev.caplance.session;
